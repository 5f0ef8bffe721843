"""Kraken's published signature, numbers on the wire, and ids."""

from __future__ import annotations

import uuid
from decimal import Decimal

import msgspec
import pytest

from tradeloom.connectors.budgets import Budgets, BudgetSpent
from tradeloom.connectors.clock import VenueClock
from tradeloom.connectors.dialect import NoSuchOrder, Refusal
from tradeloom.connectors.link import LoginRefused
from tradeloom.connectors.rest import NoAnswer
from tradeloom.connectors.stamps import rfc3339_ns, rfc3339_text
from tradeloom.connectors.venues.kraken import orders
from tradeloom.connectors.venues.kraken.checksum import book_checksum
from tradeloom.connectors.venues.kraken.errors import refuse, refuse_status
from tradeloom.connectors.venues.kraken.profile import SPOT
from tradeloom.connectors.venues.kraken.signing import Nonce, signature
from tradeloom.domain.enums import ReturnCode

# Published by the vendor.
THE_KEY = "kQH5HW/8p1uGOVjbgWA7FunAmGO8lsSUXNsu3eow76sz84Q18fWxnyRzBHCd3pd5nE9qa99HAZtuZuj6F1huXg=="


def test_the_vendors_vector() -> None:
    body = "nonce=1616492376594&ordertype=limit&pair=XBTUSD&price=37500&type=buy&volume=1.25"
    assert signature(THE_KEY, "/0/private/AddOrder", "1616492376594", body) == (
        "4/dpxb3iT4tp/ZCVEwSnEsLxx0bqyhLpdfOpc6fn7OR8+UClSV5n9E6aSS8MPtnRfp32bAb0nmbRn6H8ndwLUQ=="
    )


def test_a_secret_that_is_none_is_never_shown() -> None:
    with pytest.raises(LoginRefused) as caught:
        signature("my secret", "/0/private/Balance", "1", "nonce=1")
    assert "my secret" not in str(caught.value)


def test_nonces_only_grow() -> None:
    nonce = Nonce(VenueClock())
    numbers = [int(nonce.next()) for _ in range(1_000)]
    assert numbers == sorted(set(numbers))


def test_the_checksum_of_the_vendors_rule() -> None:
    """`0.05000` with `0.00000304` is written `5000304`."""
    from zlib import crc32

    assert book_checksum([(4_999, 7)], [(5_000, 304)]) == crc32(b"500030449997")
    assert book_checksum([(4_999, 700)], [(5_000, 30_400)], 100) == crc32(b"500030449997")


@pytest.mark.parametrize("text", ["0.00000001", "1E+3", "12.50", "61800"])
def test_numbers_go_out_as_they_are_written(text: str) -> None:
    sent = msgspec.json.encode({"n": orders.number(Decimal(text))})
    assert b"E" not in sent
    assert Decimal(sent[5:-1].decode()) == Decimal(text)


def test_client_ids_fit_and_stay_the_same() -> None:
    assert orders.wire_id("a" * 18, 18) == "a" * 18
    long = orders.wire_id("a" * 19, 18)
    assert long == orders.wire_id("a" * 19, 18) == str(uuid.UUID(long))
    assert long != orders.wire_id("a" * 20, 18)


def test_times_as_text() -> None:
    assert rfc3339_ns("2023-09-25T07:49:37.708706Z") == 1695628177_708706000
    assert rfc3339_ns("2023-02-09T20:19:35.39625135Z") == 1675973975_396251350
    assert rfc3339_ns("2023-02-09T20:19:35Z") == 1675973975 * 10**9
    assert rfc3339_ns("2023-02-09T21:19:35.5+01:00") == 1675973975_500000000
    assert rfc3339_ns("") == 0
    assert rfc3339_text(1675973975_396251350) == "2023-02-09T20:19:35.396Z"
    with pytest.raises(ValueError):
        rfc3339_ns("yesterday")


@pytest.mark.parametrize(
    ("text", "code", "field"),
    [
        ("EOrder:Insufficient funds", ReturnCode.TRADE_NO_MONEY, "volume"),
        ("EOrder:Order minimum not met", ReturnCode.TRADE_BAD_VOLUME, "volume"),
        ("EOrder:Tick size check failed", ReturnCode.TRADE_BAD_PRICES, "price"),
        ("EOrder:Post only order", ReturnCode.TRADE_BAD_PRICES, "post_only"),
        ("EService:Market in cancel_only mode", ReturnCode.TRADE_MARKET_CLOSED, "symbol"),
        ("EGeneral:Invalid arguments:cl_ord_id", ReturnCode.DUPLICATE_ID, "client_id"),
        ("ESomething:New", ReturnCode.ERR_PARAMS, ""),
    ],
)
def test_errors_are_refusals(text: str, code: ReturnCode, field: str) -> None:
    with pytest.raises(Refusal) as caught:
        refuse(text, Budgets(SPOT.windows))
    assert (caught.value.code, caught.value.field, caught.value.venue_code) == (code, field, text)


def test_errors_that_are_not_refusals() -> None:
    budgets = Budgets(SPOT.windows)
    with pytest.raises(NoSuchOrder):
        refuse("EOrder:Unknown order", budgets)
    for text in ("EService:Unavailable", "EService:Timeout", "EGeneral:Internal error"):
        with pytest.raises(NoAnswer):
            refuse(text, budgets)
    for status in (500, 502, 503, 504, 408):
        with pytest.raises(NoAnswer):
            refuse_status(status, "", budgets)
    with pytest.raises(LoginRefused, match="another program"):
        refuse("EAPI:Invalid nonce", budgets)
    with pytest.raises(BudgetSpent):
        refuse_status(429, "9", budgets)
    assert {each.name: round(each.blocked_s) for each in budgets.limits()} == {
        "public": 9,
        "rest": 9,
    }
