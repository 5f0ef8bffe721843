"""Signatures of OKX against vectors that ccxt's own signing gives."""

from __future__ import annotations

from tradeloom.connectors.venues.okx.orders import client_text
from tradeloom.connectors.venues.okx.signing import Signer

NOW_NS = 1_700_000_000_000 * 10**6
SIGNER = Signer("KEY", "SECRET", "PHRASE")


def test_rest() -> None:
    headers = SIGNER.headers(NOW_NS, "GET", "/api/v5/account/balance?ccy=BTC")
    assert headers == {
        "OK-ACCESS-KEY": "KEY",
        "OK-ACCESS-SIGN": "MKDNPs0hFmU5TkRjz5a0BEEWESbvtYZ0zYtgdKhrLmc=",
        "OK-ACCESS-TIMESTAMP": "2023-11-14T22:13:20.000Z",
        "OK-ACCESS-PASSPHRASE": "PHRASE",
    }
    body = (
        '{"instId":"BTC-USDT","tdMode":"cash","side":"buy","ordType":"limit",'
        '"px":"20000","sz":"0.01"}'
    )
    signed = SIGNER.headers(NOW_NS, "POST", "/api/v5/trade/order", body)["OK-ACCESS-SIGN"]
    assert signed == "1OhTR5pOS9CHsGC2TS8vByzWqx+qrbJxuA8a4j+RZls="


def test_socket() -> None:
    assert SIGNER.login(NOW_NS) == {
        "apiKey": "KEY",
        "passphrase": "PHRASE",
        "timestamp": "1700000000",
        "sign": "yLXe4pYye8dUwkwJKgvSq2Mufwu5iC5yyqdTRItP8wo=",
    }


def test_client_ids_become_what_okx_takes() -> None:
    assert client_text("abcXYZ019") == "abcXYZ019"
    made = {client_text(each) for each in ("a-b", "a_b", "-", "a" * 31 + "-", "ab")}
    assert len(made) == 5
    assert all(each.isalnum() and each.isascii() and len(each) <= 32 for each in made)
    assert client_text("a-b") == client_text("a-b")
