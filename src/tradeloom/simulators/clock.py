"""What time it is at a simulated venue: the machine's clock plus an offset, or a hand-set one."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """UTC nanoseconds; every room of a simulated venue reads time from here only."""

    def now_ns(self) -> int:
        """The time now."""
        ...


class SystemClock:
    """The machine's clock."""

    def now_ns(self) -> int:
        """The time now."""
        return time.time_ns()


class HandClock:
    """A clock that stands still until it is moved; makes a run repeatable to the byte."""

    def __init__(self, start_ns: int) -> None:
        self._now_ns = start_ns

    def now_ns(self) -> int:
        """The time it was set to."""
        return self._now_ns

    def set(self, now_ns: int) -> None:
        """Move to `now_ns`; it never goes back."""
        self._now_ns = max(self._now_ns, now_ns)

    def advance(self, seconds: float) -> None:
        """Move on by `seconds`."""
        self._now_ns += round(seconds * 1e9)


class VenueClock:
    """A venue's own clock: another one and the offset a `clock` fault gave it."""

    def __init__(self, under: Clock) -> None:
        self.under = under
        self.offset_ns = 0

    def now_ns(self) -> int:
        """The venue's time."""
        return self.under.now_ns() + self.offset_ns

    def now_ms(self) -> int:
        """The venue's time in milliseconds, as most venues write it."""
        return self.now_ns() // 1_000_000
