"""Bounds how often the front door is knocked at, per address and per login (in memory)."""

from __future__ import annotations

import time
from typing import Final

from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from .errors import TooMany
from .limits import (
    REFRESH_PER_ADDRESS,
    SIGN_IN_PER_ADDRESS,
    SIGN_IN_PER_LOGIN,
    SIGN_UP_PER_ADDRESS,
)


class DoorRates:
    """Sliding windows; a window that is full raises TooMany with the time until it is not."""

    def __init__(
        self,
        *,
        sign_in_per_address: str = SIGN_IN_PER_ADDRESS,
        sign_in_per_login: str = SIGN_IN_PER_LOGIN,
        sign_up_per_address: str = SIGN_UP_PER_ADDRESS,
        refresh_per_address: str = REFRESH_PER_ADDRESS,
    ) -> None:
        self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._sign_in_address: Final = parse(sign_in_per_address)
        self._sign_in_login: Final = parse(sign_in_per_login)
        self._sign_up_address: Final = parse(sign_up_per_address)
        self._refresh_address: Final = parse(refresh_per_address)

    def sign_in(self, login: str, address: str) -> None:
        """Count a sign-in; raises TooMany."""
        self._hit(self._sign_in_address, "sign-in-address", address)
        self._hit(self._sign_in_login, "sign-in-login", login)

    def sign_up(self, address: str) -> None:
        """Count a sign-up; raises TooMany."""
        self._hit(self._sign_up_address, "sign-up", address)

    def refresh(self, address: str) -> None:
        """Count a refresh; raises TooMany."""
        self._hit(self._refresh_address, "refresh", address)

    def _hit(self, limit: RateLimitItem, what: str, who: str) -> None:
        if not self._limiter.hit(limit, what, who):
            window = self._limiter.get_window_stats(limit, what, who)
            raise TooMany(max(window.reset_time - time.time(), 1.0))
