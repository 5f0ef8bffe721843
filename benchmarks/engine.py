"""What the engine reaches, each figure beside a baseline of the same run: `make bench-engine`.

Every row checks its answer (books balanced, counts, brute force) before a number is printed.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np

from benchmarks import engine_durable
from benchmarks.liquidation import mismatches
from benchmarks.report import Row, row, write
from benchmarks.world import LOT, UNIT, World, seats

ACCOUNTS = 100_000
INSTRUMENTS = 64
#: Commands per call: the events of 512 commands stay in a core's own cache.
BATCH = 512
SEED = 20_261_120


def best_rate(count: int, runs: int, work: Callable[[int], float]) -> float:
    """Best of `runs` timed calls of `work(n) -> seconds`, as items per second."""
    return max(count / work(n) for n in range(runs))


def commands() -> list[Row]:
    """Open and close with margin, triggers, ledger and remembered ids, 100 k accounts."""
    rng = np.random.default_rng(SEED)
    world = World(INSTRUMENTS, ACCOUNTS, 100_000 * UNIT)
    rounds, last_id, next_command, rates = 300, 0, 0, []
    for part in range(4):
        batches = []
        for _ in range(rounds):
            account = rng.integers(1, ACCOUNTS + 1, BATCH).astype(np.uint64)
            instrument = rng.integers(0, INSTRUMENTS, BATCH)
            side = rng.integers(0, 2, BATCH)
            volume = LOT // 10
            batches.append(world.orders(account, instrument, side, volume, 2_000, next_command))
            position = (last_id + 2 * np.arange(1, BATCH + 1)).astype(np.uint64)
            batches.append(world.closes(account, position, next_command + BATCH))
            last_id, next_command = last_id + 3 * BATCH, next_command + 2 * BATCH
        before = world.core.event_seq
        start = time.perf_counter()
        for batch in batches:
            world.core.apply(batch)
        rates.append(2 * BATCH * rounds / (time.perf_counter() - start))
        assert world.core.event_seq - before == 10 * BATCH * rounds, f"part {part}: events"
    world.core.check()
    assert world.core.stats()["positions"] == 0
    baseline = plain_python_rate()
    return [
        row(
            "commands/s, Python batch API, open + close, 100 k accounts",
            max(rates),
            "1/s",
            at_least=3_000_000,
            baseline=f"the same two commands in plain Python without events: {baseline:,.0f}/s",
        )
    ]


def plain_python_rate() -> float:
    """Open and close in a minimal plain-Python engine: dicts, margin, balance, no events."""
    balances = dict.fromkeys(range(1, 1001), 100000 * UNIT)
    margins = dict.fromkeys(balances, 0)
    positions: dict[int, tuple[int, int, int, int]] = {}
    count = 60_000
    start = time.perf_counter()
    for n in range(count):
        account = n % 1000 + 1
        price, volume = 100_002, LOT // 10
        margin = volume * price * 1000 // (100 * 1000 * 100) * 100
        if balances[account] - margins[account] - margin < 0:
            raise AssertionError("the plain engine ran out of money")
        margins[account] += margin
        positions[n] = (account, price, volume, margin)
        owner, opened, size, held = positions.pop(n)
        balances[owner] += (100_000 - opened) * size
        margins[owner] -= held
    return 2 * count / (time.perf_counter() - start)


def armed_world(balance: int, per_account: int = 5) -> World:
    """100 k accounts with 4 or 5 open positions each on distinct instruments (4.5 on average)."""
    rng = np.random.default_rng(SEED)
    world = World(INSTRUMENTS, ACCOUNTS, balance, varied=True)
    account, instrument, side = seats(ACCOUNTS, INSTRUMENTS, per_account, rng)
    # Every second account leaves its last instrument out.
    keep = (np.arange(len(account)) % (2 * per_account)) != 2 * per_account - 1
    account, instrument, side = account[keep], instrument[keep], side[keep]
    for start in range(0, len(account), 8192):
        part = slice(start, start + 8192)
        world.run(world.orders(account[part], instrument[part], side[part], LOT // 10))
    assert world.core.stats()["positions"] == len(account), "every order opens"
    return world


def walk(
    world: World, rng: np.random.Generator, ticks: int, sd: float, gap_every: int = 0
) -> list[bytes]:
    """Batches of quotes: a random walk per instrument, with a 1.5 % gap now and then."""
    batches = []
    for start in range(0, ticks, 4096):
        instrument = rng.integers(0, INSTRUMENTS, 4096)
        moves = rng.normal(0, sd, 4096)
        if gap_every:
            at = np.arange(start, start + 4096) % gap_every == gap_every - 1
            moves[at] = rng.choice([-0.015, 0.015], at.sum())
        bid = np.empty(4096, np.int64)
        for n, (i, move) in enumerate(zip(instrument.tolist(), moves.tolist(), strict=True)):
            world.bid[i] = max(1_000, round(world.bid[i] * (1 + move)))
            bid[n] = world.bid[i]
        batches.append(world.quotes(instrument, bid))
    return batches


def apply_all(world: World, batches: list[bytes]) -> tuple[float, int]:
    """Seconds spent and events made by applying the batches."""
    events = world.core.event_seq
    start = time.perf_counter()
    for batch in batches:
        world.core.apply(batch)
    return time.perf_counter() - start, world.core.event_seq - events


def quotes() -> list[Row]:
    """Calm and stressed quotes over 100 k accounts, and the worst gap."""
    rng = np.random.default_rng(SEED + 1)
    world = armed_world(3_000 * UNIT)
    rates = []
    for _ in range(3):
        batches = walk(world, rng, 200 * 4096, 1e-5)
        seconds, _ = apply_all(world, batches)
        rates.append(len(batches) * 4096 / seconds)
    worst = worst_gap(world, rng)
    # Every tick moves one instrument by 1 bp (sd), every 2,000th by 1.5 %.
    stressed = armed_world(1_000 * UNIT)
    batches = walk(stressed, np.random.default_rng(SEED + 4), 50 * 4096, 1e-4, 2_000)
    seconds, events = apply_all(stressed, batches)
    ticks = len(batches) * 4096
    stressed.core.check()
    closed = 450_000 - stressed.core.stats()["positions"]
    assert closed > 1_000, f"the stressed run stops accounts out ({closed} closed)"
    naive = revaluation_seconds(100_000)
    return [
        row(
            "quotes/s, 100 k accounts x 4.5 instruments, calm",
            max(rates),
            "1/s",
            at_least=3_000_000,
            baseline=f"numpy revaluation of 100 k positions: {1 / naive:,.0f}/s",
        ),
        row(
            f"quotes/s, the same, stressed ({closed:,} positions stopped out, {events:,} events)",
            ticks / seconds,
            "1/s",
            at_least=200_000,
            baseline=f"numpy revaluation of 100 k positions: {1 / naive:,.0f}/s",
        ),
        row(
            "worst single tick, 1.5 % gap, same book",
            worst * 1e3,
            "ms",
            at_most=5.0,
            baseline=f"numpy revaluation of 100 k positions: {naive * 1e3:.2f} ms",
        ),
    ]


def worst_gap(world: World, rng: np.random.Generator) -> float:
    """Worst of 200 single-quote calls that move one instrument by 1.5 %, seconds."""
    worst = 0.0
    for n in range(200):
        i = n % INSTRUMENTS
        world.bid[i] = round(world.bid[i] * (1 + rng.choice([-0.015, 0.015])))
        quote = world.quotes(np.array([i]), world.bid[[i]])
        start = time.perf_counter()
        world.core.apply(quote)
        worst = max(worst, time.perf_counter() - start)
    return worst


def revaluation_seconds(positions: int) -> float:
    """Exact numpy revaluation (int64) of positions of 10 k accounts on a quote, best of 20."""
    rng = np.random.default_rng(SEED + 2)
    volume = rng.integers(1, 100, positions) * (LOT // 100)
    cost = volume * rng.integers(99_000, 101_000, positions)
    first = np.sort(rng.choice(positions, 9_999, replace=False))
    starts = np.concatenate(([0], first[first > 0]))
    balance = np.full(len(starts), 10_000 * UNIT)
    best = 1e9
    for bid in range(100_000, 100_020):
        start = time.perf_counter()
        equity = balance + np.add.reduceat(bid * volume - cost, starts)
        _ = np.flatnonzero(equity < 0)
        best = min(best, time.perf_counter() - start)
    return best


def speed_up() -> list[Row]:
    """One instrument, 100 k positions: our quote against numpy's revaluation, same run."""
    rng = np.random.default_rng(SEED + 3)
    world = World(1, 10_000, 100_000 * UNIT)
    account = np.repeat(np.arange(1, 10_001, dtype=np.uint64), 10)
    zeros = np.zeros(8192, np.int64)
    for start in range(0, len(account), 8192):
        part = account[start : start + 8192]
        side = rng.integers(0, 2, len(part))
        world.run(world.orders(part, zeros[: len(part)], side, LOT // 100))
    assert world.core.stats()["positions"] == 100_000
    ticks = 100 * 4096
    moves = rng.integers(-1, 2, ticks)
    bid = np.maximum(world.price + np.cumsum(moves), 90_000)
    zero = np.zeros(4096, np.int64)
    batches = [world.quotes(zero, bid[n : n + 4096]) for n in range(0, ticks, 4096)]
    seconds, _ = apply_all(world, batches)
    ours, naive = seconds / ticks, revaluation_seconds(100_000)
    return [
        row(
            "speed-up of a quote over exact numpy revaluation of 100 k positions",
            naive / ours,
            "x",
            at_least=500,
            baseline=f"numpy {naive * 1e6:,.0f} us, engine {ours * 1e9:,.0f} ns",
        )
    ]


def memory() -> list[Row]:
    """Bytes of resident memory per open position with SL and TP, in a process of its own."""
    code = (
        "import numpy as np\n"
        "from benchmarks.world import *\n"
        "def rss():\n"
        "    return int(open('/proc/self/statm').read().split()[1]) * 4096\n"
        "world = World(64, 100_000, 1_000_000 * UNIT)\n"
        "rng = np.random.default_rng(7)\n"
        "account, instrument, side = seats(100_000, 64, 5, rng)\n"
        "account = np.tile(account, 2); instrument = np.tile(instrument, 2)\n"
        "side = np.tile(side, 2)\n"
        "world.run(world.orders(account[:64], instrument[:64], side[:64], LOT // 100, 9_000))\n"
        "before = rss()\n"
        "for start in range(64, len(account), 8192):\n"
        "    part = slice(start, start + 8192)\n"
        "    world.core.apply_muted(\n"
        "        world.orders(account[part], instrument[part], side[part], LOT // 100, 9_000))\n"
        "count = world.core.stats()['positions'] - 64\n"
        "assert count == len(account) - 64\n"
        "print((rss() - before) / count)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=300, check=True
    )

    class Slotted:
        __slots__ = ("account", "cost", "sl", "symbol", "tp", "volume")

    plain = sys.getsizeof(Slotted()) + 6 * 32
    return [
        row(
            "bytes per open position with SL and TP (1 M positions, 2 per leg)",
            float(done.stdout),
            "bytes",
            at_most=400,
            baseline=f"a slotted Python object of six numbers, without any index: {plain}",
        )
    ]


def liquidation() -> list[Row]:
    """Stop-outs of a stressed market against brute force on every tick."""
    ticks, stopped, wrong = mismatches()
    return [
        row(
            f"liquidation mismatches against brute force ({ticks:,} ticks, {stopped:,} stop-outs)",
            wrong,
            "",
            at_most=0,
            baseline="brute force: every account revalued after every tick",
        )
    ]


PARTS: dict[str, Callable[[], list[Row]]] = {
    "commands": commands,
    "quotes": quotes,
    "speed-up": speed_up,
    "liquidation": liquidation,
    "memory": memory,
    "durable": engine_durable.rows,
}


def main() -> None:
    """Runs the parts named on the command line, or all, and writes build/bench/engine.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="parts to run (all)")
    chosen = parser.parse_args().parts or list(PARTS)
    rows: list[Row] = []
    for part in chosen:
        print(f"{part} …", file=sys.stderr, flush=True)
        rows += PARTS[part]()
    write("engine", rows)


if __name__ == "__main__":
    main()
