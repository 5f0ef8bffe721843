"""Trading over REST: what a trader sees from the first order to the statement."""

from __future__ import annotations

import csv
import io
import time
from decimal import Decimal
from typing import Any

import httpx
import pytest

from tests.app.process import Service


@pytest.fixture
def api(live: Service, anna: str) -> Any:
    with live.client(anna) as client:
        yield client


def _market(account: int, **more: Any) -> dict[str, Any]:
    order = {"account": account, "instrument": "EURUSD", "side": "buy", "volume": "0.10"}
    return order | more


def test_market_order_opens_and_closes_a_position(api: httpx.Client, annas: int) -> None:
    placed = api.post("/orders", json=_market(annas))
    assert placed.status_code == 201, placed.text
    order = placed.json()
    assert order["state"] == "filled"
    assert order["filled"] == "0.10"
    position = next(
        each
        for each in api.get("/positions", params={"account": annas}).json()
        if each["id"] == order["position"]
    )
    assert position["price"] == order["price"]
    half = api.post(f"/positions/{position['id']}/close", json={"account": annas, "volume": "0.04"})
    assert half.status_code == 200, half.text
    rest = api.get(f"/positions/{position['id']}", params={"account": annas}).json()
    assert rest["volume"] == "0.06"
    assert api.post(f"/positions/{position['id']}/close", json={"account": annas}).is_success
    gone = api.get(f"/positions/{position['id']}", params={"account": annas})
    assert gone.status_code == 404


def test_the_same_key_is_one_order(api: httpx.Client, annas: int) -> None:
    headers = {"Idempotency-Key": "once-1"}
    first = api.post("/orders", json=_market(annas), headers=headers)
    again = api.post("/orders", json=_market(annas), headers=headers)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json()["repeat"]
    for field in ("order", "price", "filled", "state", "position"):
        assert again.json()[field] == first.json()[field]
    other = api.post("/orders", json=_market(annas, volume="0.20"), headers=headers)
    assert other.status_code == 409
    assert other.json()["name"] == "DUPLICATE_ID"


def test_pending_order_is_modified_and_cancelled(api: httpx.Client, annas: int) -> None:
    bid = Decimal(api.get("/quotes/EURUSD").json()["bid"])
    price = str(bid - Decimal("0.01000"))
    placed = api.post("/orders", json=_market(annas, type="limit", price=price))
    assert placed.status_code == 201, placed.text
    order = placed.json()["order"]
    assert placed.json()["state"] == "working"
    lower = str(bid - Decimal("0.02000"))
    changed = api.patch(f"/orders/{order}", json={"account": annas, "price": lower})
    assert changed.status_code == 200, changed.text
    found = api.get(f"/orders/{order}", params={"account": annas}).json()
    assert found["price"] == lower
    assert api.delete(f"/orders/{order}", params={"account": annas}).is_success
    assert api.get(f"/orders/{order}", params={"account": annas}).status_code == 404


def test_reverse_close_by_and_close_all(api: httpx.Client, annas: int) -> None:
    def place(side: str) -> int:
        made = api.post("/orders", json=_market(annas, instrument="GBPUSD", side=side))
        assert made.status_code == 201, made.text
        position: int = made.json()["position"]
        return position

    bought = place("buy")
    assert api.post(f"/positions/{bought}/reverse", json={"account": annas}).is_success
    sold = next(
        each
        for each in api.get("/positions", params={"account": annas}).json()
        if each["instrument"] == "GBPUSD"
    )
    assert sold["side"] == "sell"
    against = place("buy")
    closed = api.post(
        f"/positions/{sold['id']}/close-by", json={"account": annas, "position_by": against}
    )
    assert closed.status_code == 200, closed.text
    place("buy")
    every = api.post("/positions/close-all", json={"account": annas, "instrument": "GBPUSD"})
    assert every.json()["reference"] == 1


def test_history_statement_and_ledger_agree(api: httpx.Client, annas: int) -> None:
    placed = api.post("/orders", json=_market(annas, instrument="USDJPY")).json()
    api.post(f"/positions/{placed['position']}/close", json={"account": annas})
    end = time.monotonic() + 10
    while time.monotonic() < end:
        closed = api.get("/history/positions", params={"account": annas}).json()["items"]
        if any(each["id"] == placed["position"] for each in closed):
            break
        time.sleep(0.05)
    mine = next(each for each in closed if each["id"] == placed["position"])
    assert mine["price"] == placed["price"]
    fills = api.get("/fills", params={"account": annas, "order": placed["order"]}).json()["items"]
    assert [fill["price"] for fill in fills] == [placed["price"]]
    text = api.get(f"/accounts/{annas}/statement.csv")
    assert text.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(text.text)))
    account = api.get(f"/accounts/{annas}").json()
    cash = [row for row in rows if row["kind"] == "cash"]
    assert sum(Decimal(row["amount"]) for row in cash) == Decimal(account["balance"])
    assert cash[-1]["balance"] == account["balance"]


def test_pages_end(api: httpx.Client, annas: int) -> None:
    seen, cursor = [], None
    while True:
        params: dict[str, Any] = {"account": annas, "limit": 2}
        if cursor:
            params["cursor"] = cursor
        page = api.get("/history/orders", params=params).json()
        seen += [each["id"] for each in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == sorted(set(seen), reverse=True)


def test_quotes_and_bars_move(api: httpx.Client) -> None:
    before = api.get("/quotes").json()
    assert {each["symbol"] for each in before} >= {"EURUSD", "XAUUSD", "BTCUSDT", "ETHUSDT"}
    end = time.monotonic() + 10
    while time.monotonic() < end and api.get("/quotes").json() == before:
        time.sleep(0.1)
    assert api.get("/quotes").json() != before
    bars = api.get("/bars/EURUSD", params={"period": "M5"}).json()
    assert bars
    assert Decimal(bars[-1]["low"]) <= Decimal(bars[-1]["close"]) <= Decimal(bars[-1]["high"])


def test_account_opened_twice_with_one_key_is_one(live: Service, bob: str) -> None:
    with live.client(bob) as api:
        headers = {"Idempotency-Key": "account-1"}
        first = api.post("/accounts", json={}, headers=headers)
        again = api.post("/accounts", json={}, headers=headers)
        assert first.json()["id"] == again.json()["id"]
        assert first.json()["balance"] == "10000.00"


def test_margin_events_are_listed_for_the_owner_and_staff(live: Service) -> None:
    with live.client(live.sign_up("grace")) as api, live.client(live.admin()) as staff:
        account = api.post("/accounts", json={}).json()["id"]
        path = f"/accounts/{account}/margin-events"
        assert api.get(path).json() == {"items": [], "next": None}
        for _ in range(2):
            _called_and_recovered(api, staff, account)
        end = time.monotonic() + 15
        while len(items := api.get(path).json()["items"]) < 4 and time.monotonic() < end:
            time.sleep(0.05)
        assert [each["level"] for each in items[:4]] == ["ok", "margin_call"] * 2
        assert all(each["account"] == account for each in items)
        assert Decimal(items[1]["equity"]) < Decimal(items[1]["margin"])
        assert staff.get(path).json()["items"] == items
        first = api.get(path, params={"limit": 3}).json()
        rest = api.get(path, params={"limit": 3, "cursor": first["next"]}).json()
        assert first["items"] + rest["items"] == items
        assert rest["next"] is None
        assert api.get(path, params={"cursor": "nonsense"}).status_code == 422
        described = api.get("/openapi.json").json()["paths"]
        assert "get" in described["/api/v1/accounts/{account}/margin-events"]


def _called_and_recovered(api: httpx.Client, staff: httpx.Client, account: int) -> None:
    """Take so much money that the margin of a position is short of it, and give it back."""
    made = api.post("/orders", json=_market(account))
    assert made.status_code == 201, made.text
    shown = api.get(f"/accounts/{account}").json()
    short = Decimal(shown["equity"]) - Decimal(shown["margin"]) * Decimal("0.8")
    for amount in (-short, short):
        body = {"amount": f"{amount:.2f}"}
        moved = staff.post(f"/accounts/{account}/corrections", json=body)
        assert moved.is_success, moved.text
        time.sleep(1)
    assert api.post("/positions/close-all", json={"account": account}).is_success
