"""What staff do over REST: money and definitions, second persons, the book, the ledger's causes."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
import websockets

from tests.app.process import Service, service

REASON = {"reason": "asked for by telephone"}


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service where 1,000 and more needs a second person."""
    data = tmp_path_factory.mktemp("office") / "data"
    with service(data, TRADELOOM_FOUR_EYES_AMOUNT="1000") as made:
        yield made


@pytest.fixture(scope="module")
def admin(office: Service) -> Iterator[httpx.Client]:
    with office.client(office.admin()) as api:
        yield api


@pytest.fixture(scope="module")
def manager(office: Service) -> Iterator[httpx.Client]:
    with office.client(office.staff("mara", "manager")) as api:
        yield api


@pytest.fixture(scope="module")
def carl(office: Service) -> str:
    return office.sign_up("carl")


@pytest.fixture(scope="module")
def carls(office: Service, carl: str) -> int:
    return office.account(carl)


def _wait(found: Callable[[], Any], seconds: float = 10.0) -> Any:
    """What `found` gives once it gives something: the store follows in a moment."""
    end = time.monotonic() + seconds
    while not (made := found()):
        assert time.monotonic() < end
        time.sleep(0.02)
    return made


def _balance(api: httpx.Client, account: int) -> Decimal:
    return Decimal(api.get(f"/accounts/{account}").json()["balance"])


# ---- preferences ---------------------------------------------------------------------------------


def test_preferences_are_ones_own(office: Service, carl: str, admin: httpx.Client) -> None:
    with office.client(carl) as api:
        layout = {"panels": [{"type": "chart", "größe": 3.5}, None], "theme": "dark"}
        assert api.get("/me/preferences/layout").status_code == 404
        assert api.put("/me/preferences/layout", json={"value": layout}).status_code == 204
        assert api.put("/me/preferences/layout", json={"value": layout | {"n": 2}}).is_success
        assert api.get("/me/preferences/layout").json()["value"] == layout | {"n": 2}
        assert api.get("/me/preferences").json() == ["layout"]
        assert admin.get("/me/preferences/layout").status_code == 404
        large = {"value": "x" * 33_000}
        assert api.put("/me/preferences/layout", json=large).json()["field"] == "value"
        assert api.put("/me/preferences/..%2Fx", json={"value": 1}).status_code in (404, 405)
        raw = b'{"value": "\\ud800"}'
        headers = {"content-type": "application/json"}
        assert api.put("/me/preferences/odd", content=raw, headers=headers).status_code == 422
        for number in range(63):
            assert api.put(f"/me/preferences/p{number}", json={"value": number}).is_success
        full = api.put("/me/preferences/one-more", json={"value": 1})
        assert (full.status_code, full.json()["name"]) == (409, "LIMIT_REACHED")
        assert api.delete("/me/preferences/p1").status_code == 204
        assert api.delete("/me/preferences/p1").status_code == 404


# ---- previews ------------------------------------------------------------------------------------


def test_an_order_is_previewed_and_nothing_happens(office: Service, carl: str, carls: int) -> None:
    with office.client(carl) as api:
        order = {"account": carls, "instrument": "EURUSD", "side": "buy", "volume": "0.10"}
        seen = api.post("/orders/preview", json=order)
        assert seen.status_code == 200, seen.text
        body = seen.json()
        assert body["refused"] is None
        assert Decimal(body["margin"]) > 0
        assert Decimal(body["free_after"]) < 10_000
        assert api.get("/positions", params={"account": carls}).json() == []
        much = api.post("/orders/preview", json=order | {"volume": "400"}).json()
        assert much["refused"]["name"] == "TRADE_NO_MONEY"
        assert much["refused"]["field"] == "volume"
        assert api.post("/orders/preview", json=order | {"volume": "x"}).status_code == 422
        assert api.post("/orders/preview", json=order | {"account": 7}).status_code == 404
        said = {api.post("/orders/preview", json=order).status_code for _ in range(120)}
        assert said == {200, 429}
        placed = api.post("/orders", json=order)
        assert placed.status_code == 201
        now = api.get(f"/accounts/{carls}").json()
        # The market moves between the two: the margin follows the price, to a cent or so.
        assert abs(Decimal(now["margin"]) - Decimal(body["margin"])) < 1
        api.post("/positions/close-all", json={"account": carls})


# ---- four eyes -----------------------------------------------------------------------------------


def test_small_money_moves_at_once(manager: httpx.Client, carls: int) -> None:
    before = _balance(manager, carls)
    made = manager.post(f"/accounts/{carls}/deposits", json={"amount": "999.99"} | REASON)
    assert made.status_code == 200, made.text
    assert _balance(manager, carls) == before + Decimal("999.99")
    rows = manager.get("/audit", params={"action": "money.deposit", "target": carls}).json()
    assert rows["items"][0]["detail"]["reason"] == REASON["reason"]


def test_large_money_waits_for_somebody_else(
    office: Service, manager: httpx.Client, admin: httpx.Client, carls: int
) -> None:
    before = _balance(manager, carls)
    asked = manager.post(f"/accounts/{carls}/deposits", json={"amount": "1000"} | REASON)
    assert asked.status_code == 202, asked.text
    number = asked.json()["id"]
    assert asked.json()["state"] == "pending"
    assert _balance(manager, carls) == before
    own = manager.post(f"/approvals/{number}/approve", json={})
    assert (own.status_code, own.json()["name"]) == (403, "SECOND_PERSON")
    assert _balance(manager, carls) == before
    with office.client(office.staff("dora", "dealer")) as dealer:
        assert dealer.post(f"/approvals/{number}/approve", json={}).status_code == 403
    done = admin.post(f"/approvals/{number}/approve", json={"note": "seen the receipt"})
    assert done.status_code == 200, done.text
    assert done.json()["state"] == "approved"
    assert done.json()["outcome"]["name"] == "OK"
    assert _balance(manager, carls) == before + 1000
    again = admin.post(f"/approvals/{number}/approve", json={})
    assert (again.status_code, again.json()["name"]) == (409, "CONFLICT")
    assert admin.post(f"/approvals/{number}/reject", json={}).status_code == 409
    assert _balance(manager, carls) == before + 1000
    told = admin.get("/audit", params={"action": "approval."}).json()["items"]
    assert {row["action"] for row in told} >= {"approval.request", "approval.approved"}


def test_the_same_key_asks_once(manager: httpx.Client, carls: int) -> None:
    path, headers = f"/accounts/{carls}/deposits", {"Idempotency-Key": "ask-once"}
    first = manager.post(path, json={"amount": "3000"} | REASON, headers=headers)
    again = manager.post(path, json={"amount": "3000"} | REASON, headers=headers)
    assert (first.status_code, again.status_code) == (202, 202)
    assert again.json() == first.json()
    other = manager.post(path, json={"amount": "4000"} | REASON, headers=headers)
    assert (other.status_code, other.json()["name"]) == (409, "DUPLICATE_ID")
    assert manager.post(f"/approvals/{first.json()['id']}/reject", json={}).is_success


def test_a_request_is_rejected_withdrawn_or_fails(
    manager: httpx.Client, admin: httpx.Client, carls: int
) -> None:
    def ask(path: str, amount: str) -> int:
        made = manager.post(f"/accounts/{carls}/{path}", json={"amount": amount} | REASON)
        assert made.status_code == 202, made.text
        return int(made.json()["id"])

    before = _balance(manager, carls)
    rejected = admin.post(f"/approvals/{ask('deposits', '5000')}/reject", json={"note": "no"})
    assert rejected.json()["state"] == "rejected"
    withdrawn = manager.post(f"/approvals/{ask('corrections', '-5000')}/reject", json={})
    assert withdrawn.json()["state"] == "withdrawn"
    failed = admin.post(f"/approvals/{ask('withdrawals', '900000')}/approve", json={}).json()
    assert (failed["state"], failed["outcome"]["name"]) == ("approved", "TRADE_NO_MONEY")
    assert _balance(manager, carls) == before
    assert admin.get(f"/approvals/{failed['id']}").json() == failed
    assert admin.get("/approvals/99999").status_code == 404
    pending = admin.get("/approvals", params={"state": "pending"}).json()["items"]
    assert pending == []
    assert admin.post("/approvals/99999/approve", json={}).status_code == 404
    nobody = manager.post("/accounts/77/deposits", json={"amount": "5000"})
    assert nobody.status_code == 404
    small = {"amount": "1", "second_person": True} | REASON
    assert manager.post(f"/accounts/{carls}/credits", json=small).status_code == 202


def test_a_request_expires(tmp_path: Path) -> None:
    with service(
        tmp_path / "data", TRADELOOM_FOUR_EYES_AMOUNT="0", TRADELOOM_FOUR_EYES_HOURS="0.0001"
    ) as made, made.client(made.admin()) as admin:  # fmt: skip
        account = made.account(made.sign_up("eva"))
        asked = admin.post(f"/accounts/{account}/deposits", json={"amount": "5"}).json()
        time.sleep(0.5)
        with made.client(made.staff("mo", "manager")) as manager:
            late = manager.post(f"/approvals/{asked['id']}/approve", json={})
        assert late.status_code == 409
        assert "expired" in late.json()["detail"]


# ---- definitions ---------------------------------------------------------------------------------


def test_a_group_is_previewed_changed_and_reverted(
    office: Service, admin: httpx.Client, carl: str, carls: int
) -> None:
    demo = admin.get("/groups/demo").json()
    wider = demo | {"markup_points": 7, "limits": demo["limits"] | {"positions_max": 50}}
    seen = admin.post("/groups/preview", json=wider).json()
    assert seen["refused"] is None
    assert {each["field"] for each in seen["changes"]} == {"markup_points", "limits.positions_max"}
    assert seen["accounts"] >= 1
    bad = demo | {"stop_out": "150", "margin_call": "100"}
    told = admin.post("/groups/preview", json=bad).json()["refused"]
    assert told["field"] == "margin_call"
    locked = admin.post("/groups/preview", json=demo | {"currency": "EUR"}).json()["refused"]
    assert locked["name"] == "TRADE_INCORRECT_STATE"
    assert admin.put("/groups/demo", json={"definition": wider}).status_code == 422
    made = admin.put("/groups/demo", json={"definition": wider} | REASON)
    assert made.status_code == 200, made.text
    assert admin.get("/groups/demo").json() == wider
    with office.client(carl) as api:
        raw = {each["symbol"]: each for each in api.get("/quotes").json()}["EURUSD"]
        shown = api.get("/quotes/EURUSD", params={"account": carls}).json()
        assert Decimal(shown["ask"]) - Decimal(shown["bid"]) == Decimal(raw["ask"]) - Decimal(
            raw["bid"]
        ) + Decimal("0.00014")
        assert api.get("/quotes", params={"account": 1}).status_code == 404
        _fills_at_the_shown_price(api, carls)
    same = admin.put("/groups/demo", json={"definition": wider} | REASON)
    assert (same.status_code, same.json()["name"]) == (409, "CONFLICT")
    change = admin.get("/changes", params={"what": "group", "name": "demo"}).json()["items"][0]
    assert change["reason"] == REASON["reason"]
    back = admin.post(f"/changes/{change['id']}/revert", json=REASON)
    assert back.status_code == 200, back.text
    assert admin.get("/groups/demo").json() == demo
    newest = admin.get("/changes").json()["items"][0]
    assert newest["reverts"] == change["id"]
    told = admin.get("/audit", params={"action": "group.change"}).json()["items"]
    assert told[0]["detail"]["changes"]


def _fills_at_the_shown_price(api: httpx.Client, account: int) -> None:
    """An order fills at a price the account was shown a moment before or after."""
    order = {"account": account, "instrument": "EURUSD", "side": "buy", "volume": "0.01"}
    for _ in range(20):
        before = api.get("/quotes/EURUSD", params={"account": account}).json()["ask"]
        filled = api.post("/orders", json=order).json()["price"]
        after = api.get("/quotes/EURUSD", params={"account": account}).json()["ask"]
        if filled in (before, after):
            break
    else:
        pytest.fail("no fill at a shown price")
    api.post("/positions/close-all", json={"account": account})


def test_an_instrument_is_created_edited_and_waits(
    office: Service, admin: httpx.Client, carl: str
) -> None:
    eurusd = admin.get("/instruments/EURUSD").json()
    mine = eurusd | {"symbol": "EURUSD.x", "volume_max": "5.00"}
    seen = admin.post("/instruments/preview", json=mine).json()
    assert seen["new"]
    assert seen["refused"] is None
    put = {"definition": mine} | REASON
    assert admin.put("/instruments/OTHER", json=put).json()["field"] == "definition.symbol"
    assert admin.put("/instruments/EURUSD.x", json=put).status_code == 200
    assert admin.get("/instruments/EURUSD.x").json() == mine
    assert admin.post("/changes/1/revert", json=REASON).status_code in (200, 409)
    worse = mine | {"digits": 3, "volume_min": "0.02", "sessions": [{"start": "x", "end": "y"}]}
    told = admin.post("/instruments/preview", json=worse).json()
    assert told["refused"]["field"] == "sessions"
    for wrong in ({"volume_min": 1}, {"volume_min": "1e3"}, {"surprise": 1}, {"digits": "5"}):
        answer = admin.post("/instruments/preview", json=mine | wrong)
        assert (answer.status_code, answer.json()["field"]) == (422, next(iter(wrong)))
    later = put | {"definition": mine | {"stops_level": 20}, "second_person": True}
    asked = admin.put("/instruments/EURUSD.x", json=later)
    assert asked.status_code == 202
    with office.client(office.staff("dick", "dealer")) as dealer:
        at_once = put | later | {"second_person": False}
        assert dealer.put("/instruments/EURUSD.x", json=at_once).status_code == 200
        stale = dealer.post(f"/approvals/{asked.json()['id']}/approve", json={})
        assert stale.status_code == 200, stale.text
    assert admin.get("/instruments/EURUSD.x").json()["stops_level"] == 20
    with office.client(carl) as api:
        assert api.put("/instruments/EURUSD.x", json=put).status_code == 403
        assert api.post("/groups/preview", json={}).status_code == 403


# ---- the book ------------------------------------------------------------------------------------


def test_accounts_are_found(admin: httpx.Client, carls: int, office: Service) -> None:
    def found(**params: Any) -> list[int]:
        answer = admin.get("/staff/accounts", params=params)
        assert answer.status_code == 200, answer.text
        return [row["id"] for row in answer.json()["items"]]

    assert carls in _wait(lambda: found(q="car"))
    assert found(q=str(carls)) == [carls]
    assert found(q="car%") == []
    assert found(q="nobody-here") == []
    assert carls in found(group="demo", currency="USD", state="active")
    assert found(group="pro", q="carl") == []
    assert found(state="closed") == []
    row = admin.get("/staff/accounts", params={"q": "carl"}).json()["items"][0]
    assert row["login"] == "carl"
    admin.patch(f"/accounts/{carls}", json={"disabled": True})
    assert _wait(lambda: found(state="disabled")) == [carls]
    admin.patch(f"/accounts/{carls}", json={"disabled": False})


def test_exposure_and_margin_levels(
    office: Service, admin: httpx.Client, carl: str, carls: int
) -> None:
    with office.client(carl) as api:
        for side, volume in (("buy", "0.30"), ("sell", "0.10")):
            order = {"account": carls, "instrument": "GBPUSD", "side": side, "volume": volume}
            assert api.post("/orders", json=order).status_code == 201
    time.sleep(1.1)
    rows = admin.get("/staff/exposure").json()
    row = next(each for each in rows if each["instrument"] == "GBPUSD")
    assert (row["long"], row["short"], row["net"]) == ("0.30", "0.10", "0.20")
    bid = Decimal(admin.get("/quotes/GBPUSD").json()["bid"])
    assert abs(Decimal(row["notional"]) - 20_000 * bid) < 200
    profit = sum(
        Decimal(each["profit"])
        for each in admin.get("/positions", params={"account": carls}).json()
    )
    assert abs(Decimal(row["profit"]) - profit) < 200
    groups = admin.get("/staff/exposure", params={"by": "group"}).json()
    assert [each["group"] for each in groups] == ["demo"]
    near = admin.get("/staff/margin", params={"below": "999999999"}).json()
    assert [each["account"] for each in near] == [carls]
    level = Decimal(admin.get(f"/accounts/{carls}").json()["level"])
    assert abs(Decimal(near[0]["level"]) - level) < level / 10
    assert admin.get("/staff/margin", params={"below": "1"}).json() == []
    assert admin.get("/margin-events").json()["items"] == []
    with office.client(carl) as api:
        api.post("/positions/close-all", json={"account": carls})
        for path in ("/staff/accounts", "/staff/exposure", "/staff/margin", "/margin-events"):
            assert api.get(path).status_code == 403
        assert api.get("/approvals").status_code == 403


def test_from_a_cent_to_its_cause(
    office: Service, admin: httpx.Client, carl: str, carls: int
) -> None:
    made = admin.post(f"/accounts/{carls}/deposits", json={"amount": "0.01"} | REASON).json()

    def cent() -> Any:
        rows = admin.get("/ledger/transfers", params={"account": carls}).json()["items"]
        return next((row for row in rows if row["amount"] == "0.01"), None)

    row = _wait(cent)
    mark = f"{row['shard']}-{row['input_seq']}-{row['leg']}"
    cause = admin.get(f"/ledger/transfers/{mark}").json()
    assert cause["command"]["kind"] == "Balance"
    assert cause["command"]["account"] == carls
    assert cause["command"]["amount"] == 1_000_000
    assert cause["fills"] == []
    noted = admin.get("/audit", params={"action": "money.deposit"}).json()["items"]
    assert next(each for each in noted if each["id"] == cause["audit"])["target"] == str(carls)
    assert made["name"] == "OK"
    with office.client(carl) as api:
        order = {"account": carls, "instrument": "EURUSD", "side": "buy", "volume": "0.10"}
        place = api.post("/orders", json=order).json()
        order_id = place["order"]
        api.post("/positions/close-all", json={"account": carls})

    def opened() -> Any:
        rows = admin.get("/ledger/transfers", params={"account": carls}).json()["items"]
        return next(
            (r for r in rows if (r["reason"], r["reference"]) == ("open", place["position"])), None
        )

    row = _wait(opened)
    mark = f"{row['shard']}-{row['input_seq']}-{row['leg']}"
    cause = admin.get(f"/ledger/transfers/{mark}").json()
    assert cause["command"]["kind"] == "PlaceOrder"
    assert cause["order"]["id"] == order_id
    assert [fill["order"] for fill in cause["fills"]] == [order_id]
    assert {each["reason"] for each in cause["transfers"]} >= {"open", "margin_lock"}
    assert admin.get("/ledger/transfers/0-999999999-0").status_code == 404
    assert admin.get("/ledger/transfers/x").status_code == 422
    trial = admin.get("/ledger/trial-balance").json()
    assert all(Decimal(each["customers"]) + Decimal(each["house"]) == 0 for each in trial)


def test_the_journal_in_figures(office: Service, admin: httpx.Client) -> None:
    answer = admin.get("/system/journal")
    assert answer.status_code == 200, answer.text
    seen = answer.json()
    assert seen["segments"] >= 1
    assert seen["segment"]
    assert seen["commits"] > 0
    assert 0 < seen["commit_ms_p50"] <= seen["commit_ms_p99"]
    assert 0 < seen["disk_free"] < seen["disk_total"]
    assert seen["event_seq"] >= seen["stored_seq"] - 1


# ---- files ---------------------------------------------------------------------------------------


def test_every_list_is_a_file_too(admin: httpx.Client, carls: int) -> None:
    text = admin.get("/openapi.json").json()
    lists = [
        path.removeprefix("/api/v1")
        for path, methods in text["paths"].items()
        if "text/csv"
        in methods.get("get", {}).get("responses", {}).get("200", {}).get("content", {})
        and not path.endswith(".csv")
    ]
    assert len(lists) >= 24
    for path in lists:
        url = path.format(account=carls, symbol="EURUSD")
        params = {"format": "csv"} | ({} if "account" in path else {"account": str(carls)})
        answer = admin.get(url, params=params)
        assert answer.status_code == 200, (url, answer.text)
        assert answer.headers["content-type"].startswith("text/csv"), url
        assert "attachment" in answer.headers["content-disposition"]
        rows = list(csv.reader(io.StringIO(answer.text)))
        assert all(len(row) == len(rows[0]) for row in rows), url


def test_files_are_whole_and_safe(admin: httpx.Client, manager: httpx.Client) -> None:
    name = '=HYPERLINK("http://x")'
    for number in range(3):
        body = {"login": f"csv{number}", "password": "a-long-enough-phrase-1", "name": name}
        assert manager.post("/users", json=body).status_code == 201
    answer = admin.get("/users", params={"limit": 1}, headers={"accept": "text/csv"})
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert len(rows) > 5
    found = next(row for row in rows if row["login"] == "csv0")
    assert found["name"] == "'" + name
    page = admin.get("/users", params={"q": "csv", "role": "trader"}).json()["items"]
    assert [row["login"] for row in page] == ["csv2", "csv1", "csv0"]


# ---- the socket and the chart --------------------------------------------------------------------


def test_the_socket_shows_what_the_account_would_pay(
    office: Service, admin: httpx.Client, carl: str, carls: int
) -> None:
    demo = admin.get("/groups/demo").json()
    wider = {"definition": demo | {"markup_points": 9}} | REASON
    assert admin.put("/groups/demo", json=wider).is_success

    async def talk() -> tuple[list[dict[str, Any]], dict[str, Any], dict[str, Any]]:
        headers = {"Authorization": f"Bearer {carl}"}
        async with websockets.connect(office.ws, additional_headers=headers, proxy=None) as socket:
            subscribe = {"op": "subscribe", "channel": "quotes", "interval_ms": 0}
            own = subscribe | {"account": carls, "symbols": ["EURUSD"]}
            await socket.send(json.dumps(own))
            quotes: list[dict[str, Any]] = []
            while len(quotes) < 3:
                said = json.loads(await asyncio.wait_for(socket.recv(), 60))
                quotes += said.get("quotes", [])
            await socket.send(json.dumps(subscribe | {"symbols": ["EURUSD"], "id": "raw"}))
            mixed = await _answer(socket, "raw")
            await socket.send(json.dumps(subscribe | {"account": 1, "id": "other"}))
            return quotes, mixed, await _answer(socket, "other")

    quotes, mixed, other = asyncio.run(talk())
    assert mixed["type"] == "error"
    assert mixed["field"] == "account"
    assert other["type"] == "error"
    assert all(Decimal(q["ask"]) - Decimal(q["bid"]) >= Decimal("0.00018") for q in quotes)
    assert admin.put("/groups/demo", json={"definition": demo} | REASON).is_success


async def _answer(socket: Any, mark: str) -> dict[str, Any]:
    while True:
        said: dict[str, Any] = json.loads(await asyncio.wait_for(socket.recv(), 60))
        if said.get("id") == mark:
            return said


def test_bars_are_paged_back(office: Service, carl: str) -> None:
    with office.client(carl) as api:
        newest = _wait(lambda: api.get("/bars/EURUSD", params={"period": "M1"}).json())
        before = api.get("/bars/EURUSD", params={"before": newest[0]["time"]}).json()
        assert len(before) == 500  # the made-up market has a made-up past
        assert before[-1]["time"] < newest[0]["time"]
        now = api.get("/bars/EURUSD", params={"period": "H1", "before": "2100-01-01T00:00:00Z"})
        assert len(now.json()) >= 1
        assert api.get("/bars/EURUSD", params={"before": "yesterday"}).json()["field"] == "before"
