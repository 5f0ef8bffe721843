"""Signatures against the venue's published vectors; secrets stay out of texts."""

from __future__ import annotations

import pytest

from tradeloom.connectors.budgets import Budgets, BudgetSpent
from tradeloom.connectors.contract import VenueUnavailable
from tradeloom.connectors.dialect import NoSuchOrder, Refusal
from tradeloom.connectors.link import LoginRefused
from tradeloom.connectors.profile import Credentials, Need
from tradeloom.connectors.venues.binance import profile
from tradeloom.connectors.venues.binance.errors import refuse
from tradeloom.connectors.venues.binance.signing import Signer
from tradeloom.domain.enums import ReturnCode

SECRET = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j"  # noqa: S105
KEY = "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A"


def test_rest() -> None:
    """The example of the venue's REST documentation."""
    payload = {
        "symbol": "LTCBTC", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "1",
        "price": "0.1", "recvWindow": "5000", "timestamp": "1499827319559",
    }  # fmt: skip
    signed = Signer(SECRET).query(payload)
    assert signed.endswith(
        "&signature=c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71"
    )


def test_socket_api() -> None:
    """The example of the venue's socket API: parameters in alphabetical order."""
    params = {
        "symbol": "BTCUSDT", "side": "SELL", "type": "LIMIT", "timeInForce": "GTC",
        "quantity": "0.01000000", "price": "52000.00", "recvWindow": "100", "apiKey": KEY,
        "timestamp": "1645423376532",
    }  # fmt: skip
    signed = Signer(SECRET).params(params)["signature"]
    assert signed == "aa1b5712c094bc4e57c05a1a5c1fd8d88dcd628338ea863fec7b88e59fe2db24"


def test_texts_are_encoded_before_they_are_signed() -> None:
    """Since 2026-01-15 the signature covers the percent-encoded text."""
    query = Signer(SECRET).query({"symbol": "币安USDT"})
    assert query.startswith("symbol=%E5%B8%81%E5%AE%89USDT&signature=")


def test_secrets_are_not_shown() -> None:
    """A key in a log or an error would be a leak."""
    shown = repr(Credentials("main", {Need.KEY: KEY, Need.SECRET: SECRET}))
    assert KEY not in shown
    assert SECRET not in shown


@pytest.mark.parametrize(
    ("status", "code", "text", "kind"),
    [
        (400, -2015, "Invalid API-key", LoginRefused),
        (400, -1022, "Signature not valid", LoginRefused),
        (400, -1021, "Timestamp outside", LoginRefused),
        (429, -1003, "Too many requests", BudgetSpent),
        (418, -1003, "banned", BudgetSpent),
        (503, 0, "Service Unavailable", VenueUnavailable),
        (400, -1007, "Timeout waiting", VenueUnavailable),
        (400, -2013, "Order does not exist.", NoSuchOrder),
        (400, -2011, "Unknown order sent.", NoSuchOrder),
        (400, -1121, "Invalid symbol.", Refusal),
    ],
)
def test_errors_mean_what_they_should(
    status: int, code: int, text: str, kind: type[Exception]
) -> None:
    """Refused, never sent, unknown outcome and wrong keys are four different things."""
    with pytest.raises(kind) as caught:
        refuse(status, code, text, Budgets(profile.SPOT.windows), 0.0)
    assert str(caught.value)


@pytest.mark.parametrize(
    ("text", "code", "field"),
    [
        ("Account has insufficient balance for requested action.", "TRADE_NO_MONEY", "volume"),
        ("Duplicate order sent.", "DUPLICATE_ID", "client_id"),
        ("Filter failure: LOT_SIZE", "TRADE_BAD_VOLUME", "volume"),
        ("Order would immediately match and take.", "TRADE_BAD_PRICES", "post_only"),
    ],
)
def test_words_of_refusals_name_the_field(text: str, code: str, field: str) -> None:
    """-2010 and -1013 tell what is wrong in words only."""
    with pytest.raises(Refusal) as caught:
        refuse(400, -2010, text, Budgets(profile.SPOT.windows), 0.0)
    assert (caught.value.code, caught.value.field) == (ReturnCode[code], field)


async def test_a_ban_closes_every_budget() -> None:
    """After 418 nothing goes out, whatever it costs."""
    budgets = Budgets(profile.SPOT.windows)
    with pytest.raises(BudgetSpent):
        refuse(418, -1003, "banned", budgets, 300.0)
    with pytest.raises(BudgetSpent) as caught:
        await budgets.take({"weight": 1})
    assert caught.value.wait_s > 200
    assert all(limit.blocked_s > 200 for limit in budgets.limits())
