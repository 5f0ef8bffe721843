"""The judge of the safe price bands: every account revalued by brute force after every tick.

The engine's events are compared with an independent numpy model of the same accounts: after each
quote the set of accounts that were margin-called or stopped out must be exactly the set the model
finds, each stop-out must close the account's largest losses first and no more than needed, and no
account may be left below its level.
"""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray

from benchmarks.world import LOT, UNIT, World, seats
from tradeloom import _core

_EVENTS = {row["kind"]: name for name, row in _core.layouts()["events"].items()}
_FILL = struct.Struct("<QQQIBBBBqq")
_MARGIN = struct.Struct("<QB")


class Model:
    """Positions as arrays: equity and margin of all accounts in exact int64 arithmetic."""

    def __init__(self, world: World, position: NDArray[np.uint64], seat: list[NDArray[np.int64]]):
        self.world = world
        self.account, self.instrument, self.side, self.price = seat
        self.position = position
        self.slot = {int(p): n for n, p in enumerate(position)}
        self.open = np.ones(len(position), bool)
        self.balance = np.full(world.accounts + 1, world.balance)
        # cfd_leverage, contract 1000, leverage 100, digits 3: price / 1000 x lots x 1000 / 100.
        self.volume = LOT // 10
        margin = self.price * self.volume * 1000 // (1000 * 100)
        self.margin = np.round(margin / 10**6).astype(np.int64) * 10**6
        self.level = np.zeros(world.accounts + 1, np.int64)

    def profits(self) -> NDArray[np.int64]:
        """Floating profit of every position at the present quotes, money at 8 decimals."""
        bid = self.world.bid[self.instrument]
        close = np.where(self.side == 0, bid, bid + self.world.spread)
        points = np.where(self.side == 0, close - self.price, self.price - close)
        return points * self.volume * self.open

    def sums(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """(equity, margin) by account number."""
        size = self.world.accounts + 1
        floating = np.zeros(size, np.int64)
        np.add.at(floating, self.account, self.profits())
        margin = np.zeros(size, np.int64)
        np.add.at(margin, self.account, self.margin * self.open)
        return self.balance + floating, margin

    def levels(self) -> NDArray[np.int64]:
        """0 fine, 1 margin call (100 %), 2 stop-out (50 %) of every account."""
        equity, margin = self.sums()
        used = margin > 0
        return np.where(used & (equity * 2 < margin), 2, np.where(used & (equity < margin), 1, 0))


def build(accounts: int, instruments: int, rng: np.random.Generator) -> tuple[World, Model]:
    """A population that a stressed market margin-calls and stops out."""
    world = World(instruments, accounts, 500 * UNIT)
    account, instrument, side = seats(accounts, instruments, 4, rng)
    world.run(world.orders(account, instrument, side, LOT // 10))
    position = 2 * np.arange(1, len(account) + 1, dtype=np.uint64)
    price = np.where(side == 0, world.price + world.spread, world.price)
    return world, Model(world, position, [account.astype(np.int64), instrument, side, price])


def step(model: Model, events: bytes) -> tuple[int, int]:
    """Holds one quote's events against the model: (mismatches, positions stopped out)."""
    before = model.levels()
    expected_stop = set(np.flatnonzero(before == 2).tolist())
    said: dict[int, int] = {}
    stopped: set[int] = set()
    wrong = closed = 0
    at = 0
    while at < len(events):
        length, kind = struct.unpack_from("<IH", events, at)
        name = _EVENTS[kind]
        if name == "EventMargin":
            account, level = _MARGIN.unpack_from(events, at + 32)
            said[account] = level
            if level == 2:
                stopped.add(account)
        elif name == "EventFill":
            _, position, account, _, _, _, _, _, volume, price = _FILL.unpack_from(events, at + 32)
            closed += 1
            wrong += close(model, int(position), int(account), int(volume), int(price))
        at += length
    wrong += len(expected_stop ^ stopped)
    after = model.levels()
    changed = np.flatnonzero(after != model.level)
    for account in changed.tolist():
        wrong += said.get(account) != int(after[account])
    wrong += sum(1 for account, level in said.items() if int(after[account]) != level)
    wrong += int(np.count_nonzero(after == 2))
    model.level = after
    return wrong, closed


def close(model: Model, position: int, account: int, volume: int, price: int) -> int:
    """One stop-out: it must be due, the largest loss, at the quote; answers mistakes."""
    slot = model.slot[position]
    own = np.flatnonzero((model.account == account) & model.open)
    profits = model.profits()
    equity = model.balance[account] + profits[own].sum()
    due = equity * 2 < model.margin[own].sum()
    worst = profits[slot] == profits[own].min()
    bid = int(model.world.bid[model.instrument[slot]])
    quote = bid if model.side[slot] == 0 else bid + model.world.spread
    model.open[slot] = False
    model.balance[account] += profits[slot]
    return int(not due) + int(not worst) + int(price != quote) + int(volume != model.volume)


def mismatches(
    accounts: int = 5_000, instruments: int = 16, ticks: int = 6_000, seed: int = 7
) -> tuple[int, int, int]:
    """(ticks checked, positions stopped out, mismatches) of a stressed market with gaps."""
    rng = np.random.default_rng(seed)
    world, model = build(accounts, instruments, rng)
    wrong = stopped = 0
    for tick in range(ticks):
        i = int(rng.integers(0, instruments))
        move = rng.normal(0, 6e-4) if tick % 500 else rng.choice([-0.015, 0.015])
        world.bid[i] = max(1_000, round(world.bid[i] * (1 + move)))
        events = world.core.apply(world.quotes(np.array([i]), world.bid[[i]]))
        bad, closed = step(model, events)
        wrong, stopped = wrong + bad, stopped + closed
    world.core.check()
    assert stopped > accounts // 20, f"the market is too calm to prove anything ({stopped})"
    return ticks, stopped, wrong
