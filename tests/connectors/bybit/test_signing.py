"""Signatures of Bybit against vectors that ccxt's own signing gives."""

from __future__ import annotations

from tradeloom.connectors.venues.bybit.signing import Signer

NOW_MS = 1_700_000_000_000
SIGNER = Signer("KEY", "SECRET", 5_000)


def test_rest() -> None:
    assert SIGNER.headers(NOW_MS, "category=spot&symbol=BTCUSDT") == {
        "X-BAPI-API-KEY": "KEY",
        "X-BAPI-TIMESTAMP": "1700000000000",
        "X-BAPI-RECV-WINDOW": "5000",
        "X-BAPI-SIGN": "52a38b471925af41c9363296bbe2562552b95b2f9ca709f29e397b58d358ed6a",
    }
    body = (
        '{"category":"spot","symbol":"BTCUSDT","side":"Buy","orderType":"Limit",'
        '"qty":"0.01","price":"28000"}'
    )
    signed = SIGNER.headers(NOW_MS, body)["X-BAPI-SIGN"]
    assert signed == "97a562a41c3a22fe7ef69fe5a2cb853e5f8f03ed67ee6898793e0291c81b6ad6"


def test_socket() -> None:
    signed = "cb44b8afa4be2e39c6d1726de8c45cf0cf4f7098a3ae18721aa65e1ddba1fc7e"
    assert SIGNER.login(NOW_MS + 10_000) == ["KEY", NOW_MS + 10_000, signed]
