"""A replay is repeatable, its books balance, and what it counts is what the events say."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from tradeloom.domain import events as e
from tradeloom.domain.enums import MarginLevel, PositionState, Reason
from tradeloom.engine import Engine
from tradeloom.marketdata.quotes import Chunk
from tradeloom.replay.ahead import ahead
from tradeloom.replay.dice import below, roll
from tradeloom.replay.market import generated_market, instrument_for, recorded_market
from tradeloom.replay.run import SLICE_TICKS, Outcome, Progress, Replay
from tradeloom.replay.slices import first, joined, slices

TICKS = 120_000
START = 1_704_067_200_000_000_000


def _run(
    engine: Engine, seed: int = 1, ticks: int = TICKS, accounts: int = 600, stop_after: int = 0
) -> Outcome:
    seen: list[Progress] = []
    return Replay(
        engine,
        generated_market(seed, ticks),
        accounts=accounts,
        seed=seed,
        stopped=lambda: bool(stop_after) and len(seen) >= stop_after,
        progress=seen.append,
    ).run()


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with Engine.open() as engine:
        yield engine


@pytest.fixture(scope="module")
def outcome(engine: Engine) -> Outcome:
    return _run(engine)


def _timeless(outcome: Outcome) -> Outcome:
    return replace(outcome, seconds=0.0, ticks_per_s=0)


def test_the_same_inputs_give_the_same_outcome(outcome: Outcome) -> None:
    assert _timeless(_run(Engine.open())) == _timeless(outcome)


def test_another_seed_gives_another_outcome(outcome: Outcome) -> None:
    assert _run(Engine.open(), seed=2).state_hash != outcome.state_hash


def test_every_kind_of_thing_happens(outcome: Outcome) -> None:
    assert outcome.ticks == TICKS
    for name in ("orders", "fills", "stop_loss", "take_profit", "pending", "trailing_moves"):
        assert outcome.counts[name] > 20, name
    for name in ("margin_calls", "stop_outs", "stop_out_closes", "liquidations"):
        assert name in outcome.counts


def test_the_books_balance(outcome: Outcome) -> None:
    assert {row.ledger for row in outcome.ledgers} >= {"cash", "position", "realised_pnl"}
    assert all(row.balanced and row.customers + row.house == 0 for row in outcome.ledgers)


def test_counts_are_those_of_the_events(engine: Engine, outcome: Outcome) -> None:
    counted: Counter[str] = Counter()
    orders = set()
    for event in engine.events():
        counted["events"] += 1
        match event:
            case e.OrderUpdated():
                orders.add(event.order)
            case e.Fill():
                counted["fills"] += 1
                counted["stop_loss"] += event.reason is Reason.STOP_LOSS
                counted["take_profit"] += event.reason is Reason.TAKE_PROFIT
                counted["pending"] += event.reason is Reason.PENDING
                counted["liquidations"] += event.reason is Reason.LIQUIDATION
            case e.PositionUpdated():
                counted["opened"] += event.state is PositionState.OPENED
                counted["closed"] += event.state is PositionState.CLOSED
                counted["trailing_moves"] += event.reason is Reason.TRAILING
            case e.MarginUpdated():
                counted["margin_calls"] += event.level is MarginLevel.MARGIN_CALL
                counted["stop_outs"] += event.level is MarginLevel.STOP_OUT
    counted["orders"] = len(orders)
    # Definitions and openings come before the first slice and are not counted.
    before = counted.pop("events") - outcome.counts["events"]
    assert 0 < before < 5_000
    assert counted == {name: outcome.counts[name] for name in counted}


def test_durable_replay_is_the_same_and_survives(outcome: Outcome, tmp_path: Path) -> None:
    with Engine.open(tmp_path / "journal") as durable:
        assert _timeless(_run(durable)) == _timeless(outcome)
    with Engine.open(tmp_path / "journal") as again:
        assert again.state_hash == outcome.state_hash
        assert len(again.accounts()) == 600


def test_stopping_early_keeps_what_happened() -> None:
    stopped = _run(Engine.open(), stop_after=3)
    assert stopped.interrupted
    assert stopped.ticks == 3 * SLICE_TICKS
    assert all(row.balanced for row in stopped.ledgers)


def test_a_recording_with_swaps_and_funding(tmp_path: Path) -> None:
    hours = np.arange(0, 72) * 3_600_000_000_000 + START
    for symbol, price in (("EURUSD", "1.1000"), ("BTCUSDT", "60000.0")):
        lines = [f"{ts},{price}{n % 7},{price}{n % 7 + 2}" for n, ts in enumerate(hours.tolist())]
        (tmp_path / f"{symbol}.csv").write_text("\n".join(["ts_ns,bid,ask", *lines]) + "\n")
    market = recorded_market([tmp_path], None)
    assert [each.symbol for each in market.pegs] == ["USDTUSD"]
    slow = Replay(Engine.open(), market, accounts=50, seed=1).run()
    assert (slow.ticks, slow.accounts) == (144, 50)
    assert all(row.balanced for row in slow.ledgers)


def test_instruments_of_every_kind() -> None:
    assert instrument_for("XAUUSD", "XAU", "USD", 3).digits == 3
    assert instrument_for("EURNZD", "EUR", "NZD", 5).calc.value == "forex"
    assert instrument_for("SOLUSDT", "SOL", "USDT", 2).calc.value == "perpetual"
    assert instrument_for("WTI", "WTI", "USD", 3).calc.value == "cfd_leverage"
    assert instrument_for("TSLA", "TSLA", "USD", 2).calc.value == "stocks"
    market = generated_market(1, 10)
    assert all(market.convertible(each) for each in market.instruments)


def test_ticks_are_made_ahead_in_order_and_errors_arrive() -> None:
    def failing() -> Iterator[int]:
        yield from range(10)
        raise ValueError("torn")

    with ahead(iter(range(1000))) as numbers:
        assert list(numbers) == list(range(1000))
    with ahead(iter(range(10**9))) as numbers:
        assert next(numbers) == 0
    with ahead(failing()) as numbers, pytest.raises(ValueError, match="torn"):
        list(numbers)


def test_slices_do_not_depend_on_chunks() -> None:
    whole = _chunk(1000)
    pieces = [_part(whole, at, at + size) for at, size in ((0, 1), (1, 400), (401, 599))]
    for rows in (7, 100, 1000, 5000):
        one, many = list(slices([whole], rows)), list(slices(pieces, rows))
        assert [len(part.ts_ns) for part in one] == [len(part.ts_ns) for part in many]
        assert np.array_equal(joined(many).bid, whole.bid)
    assert joined(list(first(pieces, 450))).ts_ns.tolist() == whole.ts_ns[:450].tolist()


def test_dice_never_change() -> None:
    dice = roll(1, 2, np.arange(3, dtype=np.uint64))
    assert dice.tolist() == [
        14848426195396353192,
        1376828615835101238,
        1343179718507782873,
    ]
    many = below(roll(5, 0, np.arange(60_000, dtype=np.uint64)), 6)
    shares = np.bincount(many, minlength=6)
    assert shares.min() > 9_500
    assert shares.max() < 10_500


@pytest.mark.recorded
def test_real_recordings() -> None:
    folder = os.environ.get("TRADELOOM_RECORDED")
    if not folder:
        pytest.skip("TRADELOOM_RECORDED does not name the recordings")
    paths = [Path(folder) / "lean_apache2", Path(folder) / "hftbacktest_mit"]
    outcomes = [
        Replay(Engine.open(), recorded_market(paths, 150_000), accounts=500, seed=3).run()
        for _ in range(2)
    ]
    assert _timeless(outcomes[0]) == _timeless(outcomes[1])
    assert outcomes[0].ticks == 150_000
    assert outcomes[0].counts["fills"] > 100
    assert all(row.balanced for row in outcomes[0].ledgers)


def _chunk(rows: int) -> Chunk:
    numbers = np.arange(rows, dtype=np.int64)
    return Chunk(numbers, numbers.astype(np.uint32) % 3, numbers + 1, numbers + 2)


def _part(chunk: Chunk, start: int, stop: int) -> Chunk:
    return Chunk(
        chunk.ts_ns[start:stop],
        chunk.instrument[start:stop],
        chunk.bid[start:stop],
        chunk.ask[start:stop],
    )
