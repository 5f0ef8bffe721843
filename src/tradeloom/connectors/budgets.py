"""The venue's rate limits, honoured before the venue has to enforce them.

A window is a bucket that refills evenly, or, where a venue counts anew each interval, a count of
what was spent in the last interval: a full bucket and its refill would be up to twice the limit. A
share is kept back for others on the same key.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Final

from tradeloom.connectors.contract import RateLimit
from tradeloom.connectors.limits import BUDGET_SHARE, BUDGET_WAIT_MAX_S
from tradeloom.connectors.profile import Window

# Slots of a counted window: each is 3 % of it, which also covers the jitter of the way there.
_SLOTS: Final = 32
_ROUNDING: Final = 1e-9


class BudgetSpent(Exception):  # noqa: N818
    """The budget will not open soon enough; nothing was sent. `wait_s` tells when to try again."""

    def __init__(self, name: str, wait_s: float) -> None:
        super().__init__(f"rate limit {name}: open again in {wait_s:.1f} s; nothing was sent")
        self.wait_s = wait_s


class _Bucket:
    __slots__ = ("at", "blocked_until", "left", "size", "window")

    def __init__(self, window: Window) -> None:
        self.window = window
        self.size = max(window.limit * BUDGET_SHARE, 1.0)
        self.left = self.size
        self.at = time.monotonic()
        self.blocked_until = 0.0

    def refill(self, now: float) -> None:
        rate = self.size / self.window.per_s
        self.left = min(self.size, self.left + (now - self.at) * rate)
        self.at = now

    def wait_s(self, cost: float, now: float) -> float:
        self.refill(now)
        closed = max(self.blocked_until - now, 0.0)
        missing = min(cost, self.size) - self.left
        return max(closed, missing * self.window.per_s / self.size, 0.0)

    def spend(self, cost: float) -> None:
        self.left -= cost


class _Count:
    """What was spent in the last `per_s`, in slots; a slot ends when all of it is that old."""

    __slots__ = ("_slots", "_width", "blocked_until", "left", "size", "window")

    def __init__(self, window: Window) -> None:
        self.window = window
        self.size = max(window.limit * BUDGET_SHARE, 1.0)
        self.left = self.size
        self.blocked_until = 0.0
        self._width = window.per_s / _SLOTS
        self._slots: deque[tuple[int, float]] = deque()

    def refill(self, now: float) -> None:
        oldest = int(now / self._width) - _SLOTS
        while self._slots and self._slots[0][0] < oldest:
            self.left += self._slots.popleft()[1]

    def wait_s(self, cost: float, now: float) -> float:
        self.refill(now)
        missing = min(cost, self.size) - self.left
        wait = max(self.blocked_until - now, 0.0)
        for slot, spent in self._slots:
            if missing <= _ROUNDING:
                break
            missing -= spent
            wait = max(wait, (slot + 1 + _SLOTS) * self._width - now + 0.001)
        return wait

    def spend(self, cost: float) -> None:
        if cost <= 0.0:
            return
        self.left -= cost
        slot = int(time.monotonic() / self._width)
        if self._slots and self._slots[-1][0] == slot:
            cost += self._slots.pop()[1]
        self._slots.append((slot, cost))


_Budget = _Bucket | _Count


def _budget(window: Window) -> _Budget:
    return _Count(window) if window.fixed else _Bucket(window)


class Budgets:
    """The windows of one venue for one key and address."""

    def __init__(self, windows: Iterable[Window]) -> None:
        self._buckets: Final = {window.name: _budget(window) for window in windows}
        self.waits = 0

    def replace(self, windows: Iterable[Window]) -> None:
        """Windows as the venue publishes them now; those in use keep what was spent."""
        for window in windows:
            known = self._buckets.get(window.name)
            if known is None or known.window != window:
                self._buckets[window.name] = _budget(window)

    async def take(self, costs: Mapping[str, float], max_wait_s: float = BUDGET_WAIT_MAX_S) -> None:
        """Spend; waits when that is short, raises BudgetSpent when it is not."""
        deadline = time.monotonic() + max_wait_s
        while True:
            now = time.monotonic()
            waits = [(self._buckets[name].wait_s(cost, now), name) for name, cost in costs.items()]
            wait, name = max(waits, default=(0.0, ""))
            if wait <= 0.0:
                break
            if now + wait > deadline:
                raise BudgetSpent(name, wait)
            self.waits += 1
            await asyncio.sleep(wait)
        for name, cost in costs.items():
            self._buckets[name].spend(cost)

    def used(self, name: str, amount: float) -> None:
        """The venue told how much of a window is used: believe the higher number."""
        bucket = self._buckets.get(name)
        if bucket is not None:
            bucket.refill(time.monotonic())
            bucket.spend(max(bucket.left - (bucket.size - amount), 0.0))

    def block(self, name: str, seconds: float) -> None:
        """The venue said stop (429, 418): nothing goes out before it said. `*` blocks all."""
        until = time.monotonic() + seconds
        for each, bucket in self._buckets.items():
            if name in ("*", each):
                bucket.blocked_until = max(bucket.blocked_until, until)

    def limits(self) -> list[RateLimit]:
        """What is left of each."""
        now = time.monotonic()
        rows = []
        for bucket in self._buckets.values():
            bucket.refill(now)
            rows.append(
                RateLimit(
                    name=bucket.window.name,
                    limit=bucket.window.limit,
                    per_s=bucket.window.per_s,
                    used=round(bucket.size - bucket.left, 3),
                    blocked_s=round(max(bucket.blocked_until - now, 0.0), 3),
                )
            )
        return rows
