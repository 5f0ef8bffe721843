"""How long to wait before the next try: doubling, bounded, jittered, reset by good times."""

from __future__ import annotations

import random
import time

from tradeloom.connectors.limits import (
    BACKOFF_FIRST_S,
    BACKOFF_JITTER,
    BACKOFF_MAX_S,
    BACKOFF_RESET_S,
)


class Backoff:
    """Waits of one connection. Jitter keeps a fleet from coming back in one wave."""

    def __init__(self, first_s: float = BACKOFF_FIRST_S, max_s: float = BACKOFF_MAX_S) -> None:
        self._first = first_s
        self._max = max_s
        self._tries = 0
        self._up_at: float | None = None

    def up(self) -> None:
        """The connection stands."""
        self._up_at = time.monotonic()

    def next_s(self) -> float:
        """Seconds to wait before the next try."""
        if self._up_at is not None and time.monotonic() - self._up_at >= BACKOFF_RESET_S:
            self._tries = 0
        self._up_at = None
        wait: float = min(self._first * 2**self._tries, self._max)
        self._tries = min(self._tries + 1, 16)
        return wait * (1 - BACKOFF_JITTER * random.random())  # noqa: S311
