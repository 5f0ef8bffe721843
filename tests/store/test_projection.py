"""Projections hold what the core holds, however the stream is cut, repeated or broken."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
import textwrap
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from tests.oracle.wire import decode_events
from tests.store.looking import Content, content, feed
from tests.store.streams import events, orders, seq_of, varied
from tradeloom.store import (
    CorruptEvents,
    Database,
    EventGap,
    SecondWriter,
    Unavailable,
    rebuild,
)
from tradeloom.store import tables as t
from tradeloom.store.ledger import LedgerBook
from tradeloom.store.projection import Projection
from tradeloom.store.sinks import open_sink
from tradeloom.store.writer import PROJECTION

UNIT = 10**8


async def _rebuilt(database: Database, chunks: tuple[bytes, ...]) -> Content:
    await asyncio.to_thread(rebuild, database.address, 0, lambda _: chunks)
    return await content(database)


async def test_tables_hold_what_the_core_holds(database: Database) -> None:
    core, chunks = varied(seed=2)
    steps: list[int] = []
    last = await asyncio.to_thread(
        rebuild, database.address, 0, lambda _: chunks, lambda seq: steps.append(seq)
    )
    assert last == core.event_seq == steps[-1]
    async with database.read() as connection:
        for number in core.accounts():
            ours, theirs = await _account(connection, number), core.account(number)
            assert theirs is not None
            for key in ("balance", "credit", "level", "flags", "leverage", "opened"):
                assert ours[key] == theirs[key], (number, key)
            open_ = select(t.positions.c.position_id).where(
                t.positions.c.account == number, t.positions.c.closed.is_(None)
            )
            held = [row["position"] for row in _records(core.positions(number))]
            assert sorted((await connection.execute(open_)).scalars()) == held
            live = select(t.orders.c.order_id, t.orders.c.state, t.orders.c.price).where(
                t.orders.c.account == number, t.orders.c.live
            )
            working = [(r["order"], r["state"], r["price"]) for r in _records(core.orders(number))]
            assert sorted(tuple(r) for r in await connection.execute(live)) == working
            assert await _ledger(connection, number) == sorted(core.ledger(number))
    trial = await LedgerBook(database).trial_balance()
    expected = {
        (ledger, currency): (customers, house)
        for ledger, currency, customers, house in core.trial_balance()
        if customers or house
    }
    names = [row.code for row in await _rows(database, t.currencies)]
    found = {
        (row.ledger.value, names.index(row.currency)): (row.customers, row.house)
        for row in trial
        if row.customers or row.house
    }
    assert found == {
        key: (Decimal(customers) / UNIT, Decimal(house) / UNIT)
        for key, (customers, house) in expected.items()
    }
    assert all(row.customers + row.house == 0 and row.debits == row.credits for row in trial)


async def test_transfers_add_up_to_the_accounts_of_the_ledger(database: Database) -> None:
    _, chunks = varied(seed=3)
    await _rebuilt(database, chunks)
    sums: dict[tuple[int, ...], list[int]] = {}
    for row in await _rows(database, t.ledger_transfers):
        for key, amount in (
            ((row.account, row.ledger, row.sub, row.currency), row.amount),
            ((0, row.ledger, 0, row.currency), -row.amount),
        ):
            sum_ = sums.setdefault(key, [0, 0])
            sum_[amount > 0] += abs(amount)
    assert sums == {
        (row.account, row.ledger, row.sub, row.currency): [row.debits, row.credits]
        for row in await _rows(database, t.ledger_accounts)
    }
    for account in await _rows(database, t.accounts):
        legs = [
            row
            for row in await _rows(database, t.ledger_transfers)
            if (row.account, row.ledger, row.sub) == (account.account, 1, 0)
        ]
        balance = 0
        for leg in legs:
            balance += leg.amount
            assert leg.after == balance
        assert balance == account.balance


@given(data=st.data())
@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.differing_executors],
)
def test_any_split_and_repeat_gives_the_same_tables(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    _, chunks = varied(seed=data.draw(st.integers(4, 6), label="stream"), steps=250)
    singles = list(events(chunks))
    cuts = sorted(data.draw(st.sets(st.integers(1, len(singles) - 1), max_size=40), label="cuts"))
    back = data.draw(st.integers(0, 60), label="events repeated at each cut")
    batches = [
        [b"".join(singles[max(first - back, 0) : last])]
        for first, last in pairwise([0, *cuts, len(singles)])
    ]
    folder = tmp_path_factory.mktemp("split")

    async def both() -> tuple[Content, Content]:
        async with await Database.open(f"sqlite:///{folder}/pieces.db") as pieces:
            feed(pieces.address, batches)
            async with await Database.open(f"sqlite:///{folder}/whole.db") as whole:
                feed(whole.address, [list(chunks)])
                return await content(pieces), await content(whole)

    pieces, whole = asyncio.run(both())
    assert pieces == whole


async def test_split_and_repeat_on_both_databases(database: Database) -> None:
    _, chunks = varied(seed=4)
    whole = await _rebuilt(database, chunks)
    await asyncio.to_thread(_clear, database)
    singles = list(events(chunks))
    source = random.Random(7)
    batches, at = [], 0
    while at < len(singles):
        end = at + source.randint(1, 60)
        batches.append([b"".join(singles[max(at - source.randint(0, 20), 0) : end])])
        at = end
    await asyncio.to_thread(feed, database.address, batches)
    assert await content(database) == whole


async def test_two_shards_side_by_side(database: Database) -> None:
    core, chunks = varied(seed=5, steps=300)
    # The ids of another shard have its number in the top bits; the accounts are the same here,
    # so only its definitions are fed.
    other, more = varied(seed=5, steps=0, shard=3)
    await asyncio.to_thread(feed, database.address, [list(chunks)])
    definitions = [e for e in events(more) if e[4] == 2]
    await asyncio.to_thread(feed, database.address, [_renumbered(definitions)], 3)
    await asyncio.to_thread(rebuild, database.address, 0, lambda _: chunks)
    kept = [row for row in await _rows(database, t.instruments) if row.shard == 3]
    assert len(kept) == len(other.instruments())
    state = {row.shard: row.last_seq for row in await _rows(database, t.projection_state)}
    assert state == {0: core.event_seq, 3: len(definitions)}


def test_a_gap_is_told_and_what_came_before_it_is_kept() -> None:
    _, chunks = varied(seed=2)
    history = [event for event in events(chunks) if seq_of(event)]
    projection = Projection(0, 0, {})
    with pytest.raises(EventGap, match="event 6 is missing, 7 came") as caught:
        projection.take(b"".join(history[:5] + history[6:9]))
    assert (caught.value.expected, caught.value.got) == (6, 7)
    assert projection.last_seq == 5


@pytest.mark.parametrize("cut", [1, 8, 39, 41, 60])
def test_a_torn_event_is_told(cut: int) -> None:
    _, chunks = varied(seed=2)
    whole = b"".join(chunks[:3])
    with pytest.raises(CorruptEvents):
        Projection(0, 0, {}).take(whole[: len(chunks[0]) + len(chunks[1]) + cut])


async def test_a_second_writer_is_refused(database: Database) -> None:
    _, chunks = varied(seed=2)

    def race() -> None:
        one, two = (open_sink(database.address, 0, PROJECTION) for _ in range(2))
        one.open()
        two.open()
        try:
            first, second = Projection(0, 0, {}), Projection(0, 0, {})
            first.take(chunks[0])
            second.take(chunks[0] + chunks[1])
            one.write(first.rows(), 0, first.last_seq)
            with pytest.raises(SecondWriter, match="another process"):
                two.write(second.rows(), 0, second.last_seq)
            assert two.last_seq() == first.last_seq
        finally:
            one.close()
            two.close()

    await asyncio.to_thread(race)


async def test_money_of_any_size_is_exact(database: Database) -> None:
    """Balances past 64 bits: the core allows 10^30 units of 1e-8."""
    from tests.core.world import START, opening
    from tests.oracle.wire import encode, make
    from tradeloom._core import Core

    core = Core(0)
    chunks = [core.apply(encode(record)) for record in opening()]
    huge = 10**27 + UNIT // 100 * 7
    deposits = (make("Balance", START + step, 1, amount=huge) for step in range(3))
    chunks += [core.apply(encode(deposit)) for deposit in deposits]
    await _rebuilt(database, tuple(chunks))
    expected = 3 * huge + 20_000 * UNIT
    account = core.account(1)
    assert account is not None
    assert account["balance"] == expected
    async with database.read() as connection:
        assert (await _account(connection, 1))["balance"] == expected
    trial = await LedgerBook(database).trial_balance()
    usd = next(row for row in trial if (row.ledger, row.currency) == (1, "USD"))
    assert usd.customers == -usd.house
    assert usd.debits == usd.credits > Decimal(expected) / UNIT


async def test_killed_while_writing_goes_on_where_it_was(url: str, tmp_path: Path) -> None:
    core, chunks = orders(3_000, per_batch=5)
    stream = tmp_path / "events"
    stream.write_bytes(b"".join(len(chunk).to_bytes(4, "little") + chunk for chunk in chunks))
    async with await Database.open(url) as database:
        source = random.Random(1)
        positions = []
        for _ in range(4):
            child = await asyncio.to_thread(_writing, url, stream)
            await asyncio.sleep(source.uniform(0.02, 0.25))
            os.kill(child.pid, signal.SIGKILL)
            await asyncio.to_thread(child.wait)
            assert child.stdout is not None
            child.stdout.close()
            positions.append((await _rows(database, t.projection_state))[0].last_seq)
        assert positions == sorted(positions)
        last = await asyncio.to_thread(feed, database.address, [list(chunks)])
        assert last == core.event_seq
        resumed = await content(database)
        assert any(0 < position < last for position in positions), positions
        assert resumed == await _rebuilt(database, chunks)


def _writing(url: str, stream: Path) -> subprocess.Popen[bytes]:
    """A process that projects the stream, one small transaction after another."""
    program = textwrap.dedent(
        """
        import sys
        from pathlib import Path
        from tests.store.looking import feed
        from tradeloom.store import Address
        data, batches, at = Path(sys.argv[2]).read_bytes(), [], 0
        while at < len(data):
            size = int.from_bytes(data[at : at + 4], "little")
            batches.append([data[at + 4 : at + 4 + size]])
            at += 4 + size
        print("ready", flush=True)
        feed(Address.parse(sys.argv[1]), batches)
        """
    )
    child = subprocess.Popen(
        [sys.executable, "-c", program, url, str(stream)],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).resolve().parents[2],
    )
    assert child.stdout is not None
    child.stdout.readline()
    return child


def _clear(database: Database) -> None:
    sink = open_sink(database.address, 0, PROJECTION)
    sink.open()
    sink.clear()
    assert sink.last_seq() == 0
    sink.close()
    with pytest.raises(Unavailable):
        sink.last_seq()


async def _rows(database: Database, table: Any) -> list[Any]:
    async with database.read() as connection:
        query = select(table).order_by(*table.primary_key)
        return list((await connection.execute(query)).all())


async def _account(connection: Any, number: int) -> dict[str, Any]:
    found = await connection.execute(select(t.accounts).where(t.accounts.c.account == number))
    return dict(found.mappings().one())


async def _ledger(connection: Any, number: int) -> list[tuple[int, int, int, int]]:
    a = t.ledger_accounts
    found = await connection.execute(select(a).where(a.c.account == number))
    rows = [(row.ledger, row.sub, row.currency, row.credits - row.debits) for row in found]
    return sorted(row for row in rows if row[3])


def _records(data: bytes) -> list[dict[str, Any]]:
    return [dict(event.fields) for event in decode_events(data)]


def _renumbered(singles: list[bytes]) -> list[bytes]:
    """The same events with a dense seq from 1."""
    return [
        single[:8] + number.to_bytes(8, "little") + single[16:]
        for number, single in enumerate(singles, 1)
    ]
