"""Counters that venues limit their clients by. Each dialect puts them into its own form."""

from __future__ import annotations

from typing import Final

from tradeloom.simulators.clock import Clock


class FixedWindow:
    """At most `limit` within each interval of the venue's clock; the count starts anew with it."""

    def __init__(self, limit: int, interval_ns: int, clock: Clock) -> None:
        self.limit = limit
        self.interval_ns: Final = interval_ns
        self._clock: Final = clock
        self._counts: dict[str, tuple[int, int]] = {}

    def used(self, who: str) -> int:
        """How much `who` used in the running interval."""
        window, count = self._counts.get(who, (0, 0))
        return count if window == self._window() else 0

    def add(self, who: str, amount: int = 1) -> bool:
        """Count `amount`; False when that is over the limit (it is counted all the same)."""
        used = self.used(who) + amount
        if used == amount and len(self._counts) > 10_000:
            self._counts.clear()  # callers of long ago
        self._counts[who] = (self._window(), used)
        return used <= self.limit

    def ends_in_s(self) -> int:
        """Whole seconds until the running interval is over, at least 1."""
        left = self.interval_ns - self._clock.now_ns() % self.interval_ns
        return max(1, -(-left // 10**9))

    def _window(self) -> int:
        return self._clock.now_ns() // self.interval_ns


class Bucket:
    """Credits that refill at a constant rate: `capacity` at most, `per_s` back each second."""

    def __init__(self, capacity: float, per_s: float, clock: Clock) -> None:
        self.capacity = capacity
        self.per_s = per_s
        self._clock: Final = clock
        self._left: dict[str, tuple[float, int]] = {}

    def left(self, who: str) -> float:
        """The credits `who` has now."""
        left, at_ns = self._left.get(who, (self.capacity, self._clock.now_ns()))
        passed_s = max(0, self._clock.now_ns() - at_ns) / 1e9
        return min(self.capacity, left + passed_s * self.per_s)

    def take(self, who: str, amount: float = 1.0) -> bool:
        """Take credits; False, and nothing taken, when there are too few."""
        left = self.left(who)
        if left < amount:
            return False
        if who not in self._left and len(self._left) > 10_000:
            self._left.clear()  # callers of long ago
        self._left[who] = (left - amount, self._clock.now_ns())
        return True
