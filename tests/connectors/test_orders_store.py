"""The order file: an intent is on disk before anything is sent, whatever happens then."""

from __future__ import annotations

import asyncio
import sqlite3
import struct
import sys
import time
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from tests.connectors.binance.scene import another
from tests.connectors.child import ORDER
from tests.connectors.stage import Stage, staged
from tradeloom.connectors import desk
from tradeloom.connectors.contract import OrderRequest, Origin, VenueFill, VenueOrder
from tradeloom.connectors.orders import OrderStore, StoreFull
from tradeloom.domain.enums import OrderState, OrderType, Side, TimeInForce

ROOT = Path(__file__).parents[2]


async def child(stage: Stage, folder: Path, moment: str) -> tuple[int, str]:
    """A process that trades on this stage: exit code and output."""
    demo = stage.venue.keys.all()[0]
    base = f"http://{stage.simulator.host}:{stage.simulator.port}"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.connectors.child", base, str(folder)),
        *(demo.key, demo.secret, moment),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, errors = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode is not None
    return process.returncode, out.decode() + errors.decode()


async def test_killed_before_sending_the_intent_is_on_disk_and_rejected_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk, "RESOLVE_UNKNOWN_S", 0.2)
    async with staged("binance", ("BTCUSDT",), start=False) as stage:
        code, output = await child(stage, tmp_path, "before")
        assert code == -9, output
        assert stage.at_venue == 0
        with sqlite3.connect(tmp_path / "binance-demo.db") as file:
            rows = file.execute("SELECT client_id, open, intent FROM orders").fetchall()
        ((client_id, is_open, intent),) = rows
        assert (client_id, is_open) == ("crash-1", 1)
        assert msgspec.msgpack.decode(intent, type=OrderRequest) == ORDER
        async with another(stage, tmp_path) as again:
            order = await again.order_is("crash-1", OrderState.REJECTED)
            assert "never reached" in order.reason
            assert stage.at_venue == 0


async def test_killed_after_sending_the_order_is_found_again(tmp_path: Path) -> None:
    async with staged("binance", ("BTCUSDT",), start=False) as stage:
        code, output = await child(stage, tmp_path, "after")
        assert code == -9, output
        assert stage.at_venue == 1
        async with another(stage, tmp_path) as again:
            order = await again.order_is("crash-1", OrderState.WORKING)
            assert order.origin is Origin.OURS
            same = await again.connector.submit(ORDER)
            assert same.venue_order_id == order.venue_order_id
            assert stage.at_venue == 1


async def test_a_full_disk_refuses_the_order_and_nothing_is_sent(tmp_path: Path) -> None:
    async with staged("binance", ("BTCUSDT",), start=False) as stage:
        code, output = await child(stage, tmp_path, "full")
        assert code == 0, output
        assert output.startswith("REFUSED JOURNAL_UNAVAILABLE"), output
        assert "nothing was sent" in output
        assert stage.at_venue == 0


def _order(client_id: str, **changes: object) -> VenueOrder:
    order = VenueOrder(
        venue="v", account="a", client_id=client_id, venue_order_id="", symbol="BTCUSDT",
        side=Side.BUY, type=OrderType.LIMIT, tif=TimeInForce.GTC, volume=Decimal(1),
        filled=Decimal(0), price=Decimal(5), average=None, state=OrderState.ROUTING,
        venue_ns=time.time_ns(),
    )  # fmt: skip
    return msgspec.structs.replace(order, **changes)


def _request(client_id: str) -> OrderRequest:
    return msgspec.structs.replace(ORDER, client_id=client_id)


def _fill(trade_id: str, **changes: object) -> VenueFill:
    fill = VenueFill(
        venue="v", account="a", trade_id=trade_id, venue_order_id="9", client_id="i0",
        symbol="BTCUSDT", side=Side.BUY, price=Decimal(5), volume=Decimal("0.1"),
    )  # fmt: skip
    return msgspec.structs.replace(fill, **changes)


def _commits(database: Path) -> int:
    """Transactions in the write-ahead log: frames that carry the size of the database."""
    log = database.with_name(database.name + "-wal").read_bytes()
    page = struct.unpack(">I", log[8:12])[0]
    frames = range(32, len(log), 24 + page)
    return sum(1 for at in frames if struct.unpack(">I", log[at + 4 : at + 8])[0])


async def test_a_burst_of_intents_is_a_handful_of_transactions(tmp_path: Path) -> None:
    path = tmp_path / "orders.db"
    store = OrderStore(path)
    before = _commits(path)
    blocker = sqlite3.connect(path, isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")  # the disk is busy while they come
    orders = [_order(f"i{number}") for number in range(300)]
    calls = [
        asyncio.create_task(store.intend(each, each.client_id, _request(each.client_id)))
        for each in orders
    ]
    await asyncio.sleep(0.1)
    assert not any(call.done() for call in calls)
    blocker.execute("COMMIT")
    await asyncio.gather(*calls)
    count = blocker.execute("SELECT count(*) FROM orders WHERE open = 1").fetchone()
    blocker.close()
    assert count == (300,)
    assert 1 <= _commits(path) - before <= 3
    await asyncio.to_thread(store.close)


async def test_what_was_written_is_there_after_a_new_start(tmp_path: Path) -> None:
    path = tmp_path / "orders.db"
    store = OrderStore(path)
    known = await store.intend(_order("i0"), "w0", _request("i0"))
    store.update(known, _order("i0", venue_order_id="9", state=OrderState.WORKING))
    done = await store.intend(_order("i1"), "w1", _request("i1"))
    store.update(done, _order("i1", venue_order_id="10", state=OrderState.FILLED))
    store.adopt(_order("ext-7", venue_order_id="7", state=OrderState.WORKING), "")
    assert store.book(_fill("t1"))
    assert not store.book(_fill("t1"))
    assert store.book(_fill("t1", symbol="ETHUSDT"))  # ids are a symbol's own
    store.remember("killed", "why")
    await asyncio.to_thread(store.close)
    assert path.stat().st_mode & 0o077 == 0  # nobody else reads it

    store = OrderStore(path)
    assert {each.order.client_id for each in store.open()} == {"i0", "ext-7"}
    assert not store.book(_fill("t1"))
    for found in (store.by_wire("w1", ""), store.by_wire("", "10"), store.find("i1")):
        assert found is not None
        assert (found.order.state, found.intent) == (OrderState.FILLED, _request("i1"))
    again = store.by_wire("w0", "")
    assert again is not None
    assert again.booked == Decimal("0.2")
    assert store.fact("killed") == "why"
    assert [fill.trade_id for fill in store.fills(0, "ETHUSDT")] == ["t1"]
    await asyncio.to_thread(store.close)


async def test_a_writer_that_does_not_keep_up_refuses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tradeloom.connectors.orders.STORE_QUEUE_MAX", 5)
    path = tmp_path / "orders.db"
    store = OrderStore(path)
    blocker = sqlite3.connect(path, isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    calls = [
        asyncio.create_task(store.intend(_order(f"i{n}"), f"i{n}", _request(f"i{n}")))
        for n in range(20)
    ]
    await asyncio.sleep(0.05)
    refused = [call for call in calls if call.done()]
    assert len(refused) >= 10
    assert all(isinstance(call.exception(), StoreFull) for call in refused)
    blocker.execute("COMMIT")
    blocker.close()
    kept = await asyncio.gather(*(call for call in calls if call not in refused))
    assert {each.order.client_id for each in store.open()} == {
        each.order.client_id for each in kept
    }
    await asyncio.to_thread(store.close)
