"""What people read: pages, histories, statements; checked against the events themselves."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.oracle.wire import decode_events
from tests.store.streams import varied
from tradeloom.domain.enums import Entry, Ledger, OrderState, Posting
from tradeloom.store import BadCursor, Database, rebuild
from tradeloom.store.cursors import Page, decode, encode
from tradeloom.store.history import History
from tradeloom.store.ledger import LedgerBook

UNIT = 10**8
SEED, STEPS = 14, 1_200


@pytest.fixture
async def filled(database: Database) -> Database:
    """A database with a random life in it."""
    _, chunks = varied(SEED, STEPS)
    await asyncio.to_thread(rebuild, database.address, 0, lambda _: chunks)
    return database


def _events(name: str) -> list[Any]:
    _, chunks = varied(SEED, STEPS)
    return [e for chunk in chunks for e in decode_events(chunk) if e.name == name and e.seq]


def _busiest() -> int:
    """The account with the most fills."""
    accounts = [event.fields["account"] for event in _events("Fill")]
    return int(max(set(accounts), key=accounts.count))


async def _pages(read: Callable[[str | None], Awaitable[Page[Any]]], size: int) -> list[Any]:
    found: list[Any] = []
    cursor = None
    while True:
        page = await read(cursor)
        assert len(page.items) <= size
        found += page.items
        if page.next is None:
            return found
        assert len(page.items) == size, "a page in the middle is full"
        cursor = page.next


async def test_fills_page_by_page(filled: Database) -> None:
    history, account = History(filled), _busiest()
    found = await _pages(lambda c: history.fills(account, cursor=c, limit=3), 3)
    expected = [e for e in reversed(_events("Fill")) if e.fields["account"] == account]
    assert [row.id for row in found] == [event.seq for event in expected]
    for row, event in zip(found, expected, strict=True):
        assert row.ts == event.ts
        assert row.volume * UNIT == event.fields["volume"]
        assert row.profit * UNIT == event.fields["profit"]
        assert row.commission * UNIT == event.fields["commission"]
    everybody = await _pages(lambda c: history.fills(None, cursor=c, limit=50), 50)
    assert len(everybody) == len(_events("Fill"))
    one = found[0]
    of_order = await history.fills(account, order=one.order)
    assert one.id in [row.id for row in of_order.items]
    assert {row.order for row in of_order.items} == {one.order}
    of_symbol = await history.fills(account, instrument=one.instrument, limit=500)
    assert {row.instrument for row in of_symbol.items} == {one.instrument}
    middle = found[len(found) // 2].ts
    late = await history.fills(account, since=middle, limit=1_000)
    early = await history.fills(account, until=middle, limit=1_000)
    assert len(late.items) + len(early.items) == len(found)


async def test_orders_carry_their_last_state(filled: Database) -> None:
    history = History(filled)
    last: dict[int, Any] = {}
    state: dict[int, int] = {}
    created: dict[int, int] = {}
    for event in _events("Order"):
        order = event.fields["order"]
        last[order] = event
        created.setdefault(order, event.ts)
        if event.fields["state"] != OrderState.MODIFIED:
            state[order] = event.fields["state"]
    found = await _pages(lambda c: history.orders(None, cursor=c, limit=40), 40)
    assert [row.id for row in found] == sorted(last, reverse=True)
    for row in found:
        event = last[row.id]
        assert row.state == state[row.id]
        assert (row.created, row.updated) == (created[row.id], event.ts)
        assert row.filled * UNIT == event.fields["filled"]
        assert row == await history.order(row.id)
    assert OrderState.MODIFIED not in {row.state for row in found}
    assert any(e.fields["state"] == OrderState.MODIFIED for e in _events("Order"))
    live = await _pages(lambda c: history.orders(None, live=True, cursor=c, limit=40), 40)
    ended = await _pages(lambda c: history.orders(None, live=False, cursor=c, limit=40), 40)
    assert len(live) + len(ended) == len(found)
    over = {OrderState.FILLED, OrderState.CANCELLED, OrderState.EXPIRED, OrderState.REJECTED}
    assert {row.state for row in ended} <= over
    assert not {row.state for row in live} & over
    assert await history.order(10**12) is None


async def test_closed_positions_sum_up_their_fills(filled: Database) -> None:
    history, account = History(filled), _busiest()
    found = await _pages(lambda c: history.closed_positions(account, cursor=c, limit=2), 2)
    closed = {
        event.fields["position"]: event.ts
        for event in _events("Position")
        if event.fields["state"] == 2 and event.fields["account"] == account
    }
    assert {row.id: row.closed for row in found} == closed
    assert [row.closed for row in found] == sorted(closed.values(), reverse=True)
    for row in found:
        fills = [e.fields for e in _events("Fill") if e.fields["position"] == row.id]
        out = [fill for fill in fills if fill["entry"] == Entry.OUT]
        assert row.volume * UNIT == sum(fill["volume"] for fill in out)
        assert row.profit * UNIT == sum(fill["profit"] for fill in fills)
        low, high = min(f["price"] for f in out), max(f["price"] for f in out)
        digits = -int(row.close_price.as_tuple().exponent)
        assert low <= row.close_price * 10**digits <= high


async def test_open_positions_are_those_of_the_core(filled: Database) -> None:
    core, _ = varied(SEED, STEPS)
    found = await _pages(lambda c: History(filled).open_positions(None, cursor=c, limit=5), 5)
    held = [e.fields for number in core.accounts() for e in decode_events(core.positions(number))]
    assert sorted(row.id for row in found) == sorted(fields["position"] for fields in held)
    by_id = {fields["position"]: fields for fields in held}
    for row in found:
        assert row.volume * UNIT == by_id[row.id]["volume"]
        assert row.margin * UNIT == by_id[row.id]["margin"]
        assert row.isolated == bool(by_id[row.id]["flags"])


async def test_balance_history_and_statement_agree_with_the_balance(filled: Database) -> None:
    core, _ = varied(SEED, STEPS)
    history, book = History(filled), LedgerBook(filled)
    for row in await history.accounts():
        account = core.account(row.account)
        assert account is not None
        assert row.balance * UNIT == account["balance"]
        assert row.credit * UNIT == account["credit"]
        rows = [x async for x in book.statement(row.account, 0, 2**62)]
        assert {x.ledger for x in rows} <= {Ledger.CASH}
        assert sum(x.amount for x in rows if x.sub == 0) == row.balance
        assert sum(x.amount for x in rows if x.sub == 1) == row.credit
        operations = await _operations(history, row.account)
        for operation in operations:
            assert operation.amount
        moved = sum(x.amount for x in rows if x.reason not in (Posting.PROFIT, Posting.COMMISSION))
        assert sum(x.amount for x in operations) == moved
        middle = rows[len(rows) // 2].ts
        opening = await book.cash_before(row.account, middle)
        rest = [x async for x in book.statement(row.account, middle, 2**62) if x.sub == 0]
        assert opening + sum(x.amount for x in rest) == row.balance
    assert await history.account(4_711) is None


async def _operations(history: History, account: int) -> list[Any]:
    return await _pages(lambda cursor: history.balance(account, cursor=cursor, limit=4), 4)


async def test_a_statement_longer_than_a_page(
    filled: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    book, account = LedgerBook(filled), _busiest()
    whole = [row async for row in book.statement(account, 0, 2**62)]
    monkeypatch.setattr("tradeloom.store.ledger.PAGE_ROWS_MAX", 7)
    assert [row async for row in book.statement(account, 0, 2**62)] == whole
    keys = [(row.ts, row.input_seq, row.leg) for row in whole]
    assert keys == sorted(keys)


async def test_transfers_and_ledger_accounts_page_by_page(filled: Database) -> None:
    book, account = LedgerBook(filled), _busiest()
    legs = [(e.cause, e.fields["first_leg"] + n, e.fields["account"], leg)
            for e in _events("Ledger") for n, leg in enumerate(e.legs)]  # fmt: skip
    found = await _pages(lambda c: book.transfers(None, cursor=c, limit=100), 100)
    assert [(row.input_seq, row.leg) for row in found] == [leg[:2] for leg in reversed(legs)]
    for row, (_, _, _, leg) in zip(found, reversed(legs), strict=True):
        assert (row.ledger, row.sub, row.reason) == (leg["ledger"], leg["sub"], leg["reason"])
        assert row.amount * UNIT == leg["amount"]
    mine = await _pages(lambda c: book.transfers(account, cursor=c, limit=9), 9)
    expected = [leg[:2] for leg in reversed(legs) if leg[2] == account]
    assert [(row.input_seq, row.leg) for row in mine] == expected
    cash = await book.transfers(account, ledger=Ledger.CASH, limit=1_000)
    assert {row.ledger for row in cash.items} == {Ledger.CASH}
    accounts = await _pages(lambda c: book.accounts(cursor=c, limit=6), 6)
    keys = [(row.account, row.ledger, row.sub) for row in accounts]
    assert keys == sorted(keys)
    assert sum(row.debits for row in accounts) == sum(row.credits for row in accounts)
    house = await book.accounts(0)
    assert {row.account for row in house.items} == {0}


async def test_margin_events_are_listed(filled: Database) -> None:
    found = await _pages(lambda c: History(filled).margin_events(None, cursor=c, limit=3), 3)
    assert [(row.id, row.level) for row in found] == [
        (event.seq, event.fields["level"]) for event in reversed(_events("Margin"))
    ]
    assert found, "the random life has no margin call; choose another seed"


@pytest.mark.parametrize(
    "cursor", ["", "x", "AAAA", "é" * 10, "a" * 500, "=" * 8, encode("orders", [5])]
)
async def test_bad_cursors_are_refused(filled: Database, cursor: str) -> None:
    history, book = History(filled), LedgerBook(filled)
    for read in (
        history.fills(1, cursor=cursor),
        history.closed_positions(1, cursor=cursor),
        book.transfers(1, cursor=cursor),
        book.accounts(cursor=cursor),
    ):
        with pytest.raises(BadCursor):
            await read


def test_cursors_hold_what_a_column_can_hold() -> None:
    assert decode("fills", encode("fills", [2**63 - 1, -5]), 2) == (2**63 - 1, -5)
    for values in ([2**63], [1, 2]):
        with pytest.raises(BadCursor):
            decode("fills", encode("fills", values), 1)


async def test_unknown_accounts_have_empty_pages(filled: Database) -> None:
    history = History(filled)
    for account in (4_711, 2**63 + 5, 2**64 - 1):
        assert (await history.orders(account)).items == []
        assert (await history.fills(account)).items == []
        assert (await history.balance(account)).items == []
    assert (await history.fills(1, limit=0)).items
