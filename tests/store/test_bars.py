"""Bars equal what a plain loop over all quotes makes, however the quotes are cut and delayed."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tradeloom.store import Database
from tradeloom.store.bar_builder import BarBuilder
from tradeloom.store.bars import INTERVALS_S, NS, Bar, BarStore, shown

START = 1_750_000_000 * NS
Quote = tuple[int, int, int, int]  # instrument, ts, bid, ask
quote = st.tuples(
    st.integers(0, 1),
    st.integers(0, 200 * NS // 10).map(lambda tenths: START + tenths * 10),
    st.integers(1, 50),
    st.integers(50, 99),
)


def _plain(quotes: Iterable[Quote], interval_s: int) -> dict[tuple[str, int], Bar]:
    """The obvious way: sort by time, take first, highest, lowest, last."""
    groups: dict[tuple[int, int], list[Quote]] = {}
    for one in sorted(quotes, key=lambda row: row[1]):
        start = one[1] - one[1] % (interval_s * NS)
        groups.setdefault((one[0], start), []).append(one)
    bars = {}
    for (instrument, start), rows in groups.items():
        fields: list[int] = []
        for values in ([r[2] for r in rows], [r[3] for r in rows], [r[2] + r[3] for r in rows]):
            fields += [values[0], max(values), min(values), values[-1]]
        fields += [len(rows), rows[0][1], rows[-1][1]]
        name = f"S{instrument}"
        bars[name, start] = Bar._make((name, interval_s, start, instrument, *fields))
    return bars


def _builder() -> BarBuilder:
    builder = BarBuilder()
    for number in range(2):
        builder.define(number, f"S{number}", number)
    return builder


def _add(builder: BarBuilder, quotes: list[Quote]) -> None:
    columns = np.array(quotes, np.int64).reshape(-1, 4).T
    builder.add(columns[0], columns[1], columns[2], columns[3])


@given(st.lists(quote, max_size=60), st.sets(st.integers(0, 60), max_size=5))
@settings(deadline=None)
def test_any_order_and_any_cut_make_the_same_bars(quotes: list[Quote], cuts: set[int]) -> None:
    builder = BarBuilder(late_s=1_000)
    for number in range(2):
        builder.define(number, f"S{number}", number)
    found: dict[tuple[str, int, int], Bar] = {}
    edges = sorted({0, len(quotes), *(cut for cut in cuts if cut < len(quotes))})
    for first, last in pairwise(edges):
        _add(builder, quotes[first:last])
        found |= {(bar.symbol, bar.interval_s, bar.start): bar for bar in builder.take()}
    expected = {
        (symbol, interval_s, start): bar
        for interval_s in INTERVALS_S
        for (symbol, start), bar in _plain(quotes, interval_s).items()
    }
    assert found == expected
    assert builder.too_late == 0


@given(st.lists(quote, min_size=1, max_size=60))
@settings(deadline=None)
def test_a_restart_goes_on_with_what_was_stored(quotes: list[Quote]) -> None:
    half = len(quotes) // 2
    before, after = _builder(), BarBuilder(late_s=1_000)
    _add(before, quotes[:half])
    stored = before.take()
    for number in range(2):
        after.define(number, f"S{number}", number)
    after.resume(stored)
    _add(after, quotes[half:])
    found = {(b.symbol, b.interval_s, b.start): b for b in stored}
    found |= {(b.symbol, b.interval_s, b.start): b for b in after.take()}
    for interval_s in INTERVALS_S:
        for (symbol, start), bar in _plain(quotes, interval_s).items():
            assert found[symbol, interval_s, start] == bar


def test_a_quote_behind_a_finished_bar_counts_only_where_it_is_open() -> None:
    builder = _builder()
    _add(builder, [(0, START, 10, 20), (0, START + 10 * NS, 11, 21)])
    assert len(builder.take()) == 2 + len(INTERVALS_S) - 1
    _add(builder, [(0, START + 1, 1, 99)])
    late = builder.take()
    assert {bar.interval_s for bar in late} == set(INTERVALS_S[1:])
    assert {(bar.bid_low, bar.ticks) for bar in late} == {(1, 3)}
    assert builder.too_late == 1


def test_a_late_quote_within_the_window_is_put_in_its_place() -> None:
    builder = _builder()
    _add(builder, [(0, START + 5, 10, 20), (0, START + 4 * NS, 12, 22)])
    builder.take()
    _add(builder, [(0, START + 2, 7, 17)])
    second = next(bar for bar in builder.take() if bar.interval_s == 1)
    assert (second.bid_open, second.bid_close, second.ticks) == (7, 10, 2)
    current = builder.current(0, 60)
    assert current is not None
    assert (current.bid_open, current.bid_close) == (7, 12)


def test_changed_digits_end_the_open_bars() -> None:
    builder = _builder()
    _add(builder, [(0, START, 10, 20)])
    builder.define(0, "S0", 3)
    assert builder.take() == []
    _add(builder, [(0, START, 100, 200)])
    assert {(bar.digits, bar.bid_open) for bar in builder.take()} == {(3, 100)}


async def test_bars_are_stored_and_read(database: Database) -> None:
    quotes = [(0, START + n * NS // 2, 10 + n % 7, 30 + n % 5) for n in range(600)]
    store, builder = BarStore(database), _builder()
    for first in range(0, 600, 50):
        _add(builder, quotes[first : first + 50])
        await store.write(builder.take())
    for interval_s in (1, 60, 86_400):
        expected = sorted(_plain(quotes, interval_s).values(), key=lambda bar: bar.start)
        assert await store.read("S0", interval_s) == expected
    minutes = await store.read("S0", 60)
    assert await store.read("S0", 60, limit=2) == minutes[-2:]
    inside = await store.read("S0", 60, since=minutes[1].start, until=minutes[3].start)
    assert inside == minutes[1:3]
    assert await store.read("unknown", 60) == []
    again = _builder()
    again.resume(await store.unfinished(["S0", "S1"], quotes[-1][1]))
    more = [(0, quotes[-1][1] + 1, 1, 99)]
    _add(again, more)
    await store.write(again.take())
    for interval_s in INTERVALS_S:
        expected = sorted(_plain(quotes + more, interval_s).values(), key=lambda bar: bar.start)
        assert await store.read("S0", interval_s) == expected


def test_bars_are_shown_with_decimals() -> None:
    prices = (11_000, 11_004, 10_999, 11_001)
    asks = (11_003, 11_006, 11_001, 11_002)
    sums = (22_003, 22_010, 22_000, 22_003)
    row = shown(Bar("EURUSD", 60, START, 4, *prices, *asks, *sums, 9, START, START))
    assert (row.bid.open, row.ask.close) == (Decimal("1.1000"), Decimal("1.1002"))
    assert (row.mid.open, row.mid.high) == (Decimal("1.10015"), Decimal("1.10050"))
    assert row.ticks == 9
