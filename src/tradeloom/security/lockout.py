"""Slows guessing down: after a few failures every further one doubles the wait.

Kept in memory, per login and per address. An unknown login is counted like a known one, so the
wait says nothing either. An attempt counts as a failure from its start until it succeeds: many at
once are not cheaper than one after another.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

from .errors import TooMany
from .limits import (
    LOCKOUT_ENTRIES_MAX,
    LOCKOUT_FIRST_S,
    LOCKOUT_FORGET_S,
    LOCKOUT_FREE_ADDRESS,
    LOCKOUT_FREE_LOGIN,
    LOCKOUT_MAX_S,
)


class Lockout:
    """Failures by login and by address; `clock` in seconds, monotonic."""

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        entries_max: int = LOCKOUT_ENTRIES_MAX,
    ) -> None:
        self._clock = clock
        self._entries_max = entries_max
        # Key -> (failures, locked until, time of the last).
        self._entries: OrderedDict[tuple[str, str], tuple[int, float, float]] = OrderedDict()

    def attempt(self, login: str, address: str) -> None:
        """Count an attempt; raises TooMany while the login or the address must wait."""
        now = self._clock()
        keys = (
            (("login", login), LOCKOUT_FREE_LOGIN),
            (("address", address), LOCKOUT_FREE_ADDRESS),
        )
        wait_s = max(self._until(key, now) for key, _ in keys) - now
        if wait_s > 0:
            raise TooMany(wait_s)
        for key, free in keys:
            failures = self._failures(key, now) + 1
            over = failures - free
            # 2^20 is past any maximum; the exponent stays small whatever the count.
            delay_s = min(LOCKOUT_FIRST_S * 2.0 ** min(over - 1, 20), LOCKOUT_MAX_S)
            self._put(key, (failures, now + delay_s if over > 0 else 0.0, now))

    def succeeded(self, login: str, address: str) -> None:
        """The attempt was good: the login starts anew, the address gets this one back."""
        self._entries.pop(("login", login), None)
        key = ("address", address)
        if key in self._entries:
            failures, _, last = self._entries[key]
            self._put(key, (max(failures - 1, 0), 0.0, last))

    def _until(self, key: tuple[str, str], now: float) -> float:
        failures, until, last = self._entries.get(key, (0, 0.0, now))
        return until if failures and now - last < max(LOCKOUT_FORGET_S, until - last) else 0.0

    def _failures(self, key: tuple[str, str], now: float) -> int:
        failures, _, last = self._entries.get(key, (0, 0.0, now))
        return failures if now - last < LOCKOUT_FORGET_S else 0

    def _put(self, key: tuple[str, str], entry: tuple[int, float, float]) -> None:
        self._entries[key] = entry
        self._entries.move_to_end(key)
        if len(self._entries) > self._entries_max:
            self._entries.popitem(last=False)
