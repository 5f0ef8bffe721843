"""Binance's limits: request weight per address, orders per account, 429 and then 418."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from tradeloom.simulators.clock import VenueClock
from tradeloom.simulators.rates import FixedWindow

_SECONDS: Final = {"SECOND": 1, "MINUTE": 60, "DAY": 86_400}
# Calls after a 429, in the same interval, that turn it into a ban; and how long that lasts.
PATIENCE: Final = 20
BAN_S: Final = 120


class Limit(msgspec.Struct, frozen=True):
    """One row of `exchangeInfo.rateLimits`; its header is made of its letters (1M, 10S, 1D)."""

    kind: str  # REQUEST_WEIGHT, RAW_REQUESTS, ORDERS
    interval: str
    count: int
    limit: int

    @property
    def seconds(self) -> int:
        """The length of its interval."""
        return _SECONDS[self.interval] * self.count

    @property
    def header(self) -> str:
        """The header that tells its use."""
        name = "ORDER-COUNT" if self.kind == "ORDERS" else "USED-WEIGHT"
        return f"X-MBX-{name}-{self.count}{self.interval[0]}"

    def row(self, used: int | None = None) -> dict[str, Any]:
        """As JSON, with its use in answers of the WebSocket API."""
        row: dict[str, Any] = {
            "rateLimitType": self.kind,
            "interval": self.interval,
            "intervalNum": self.count,
            "limit": self.limit,
        }
        return row if used is None else {**row, "count": used}


class OverLimit(Exception):  # noqa: N818 - not an error of ours
    """A limit is used up; `banned_until_ms` is 0 unless the address is banned (418)."""

    def __init__(self, limit: Limit, retry_after_s: int, banned_until_ms: int = 0) -> None:
        super().__init__(limit.kind)
        self.limit = limit
        self.retry_after_s = retry_after_s
        self.banned_until_ms = banned_until_ms


class Budgets:
    """The limits of one venue and what everyone used of them."""

    def __init__(self, limits: Sequence[Limit], clock: VenueClock) -> None:
        self._clock: Final = clock
        self._windows: Final = [
            (each, FixedWindow(each.limit, each.seconds * 10**9, clock)) for each in limits
        ]
        self._over: Final[dict[str, int]] = {}
        self._banned_until_ms: Final[dict[str, int]] = {}

    @property
    def limits(self) -> list[Limit]:
        """Every limit."""
        return [limit for limit, _ in self._windows]

    def spend(self, ip: str, weight: int) -> None:
        """Count a request; raises `OverLimit`."""
        now_ms = self._clock.now_ms()
        until_ms = self._banned_until_ms.get(ip, 0)
        for limit, window in self._windows:
            if limit.kind == "ORDERS":
                continue
            if until_ms > now_ms:
                raise OverLimit(limit, -(-(until_ms - now_ms) // 1_000), until_ms)
            if window.add(ip, weight if limit.kind == "REQUEST_WEIGHT" else 1):
                continue
            self._over[ip] = self._over.get(ip, 0) + 1
            if self._over[ip] > PATIENCE:
                self._over.pop(ip)
                self._banned_until_ms[ip] = now_ms + BAN_S * 1_000
                raise OverLimit(limit, BAN_S, self._banned_until_ms[ip])
            raise OverLimit(limit, window.ends_in_s())
        self._over.pop(ip, None)

    def refund(self, ip: str, weight: int) -> None:
        """A successful order call weighs nothing."""
        for limit, window in self._windows:
            if limit.kind == "REQUEST_WEIGHT":
                window.add(ip, -weight)

    def order(self, account: str) -> None:
        """Count a placement; raises `OverLimit`."""
        for limit, window in self._windows:
            if limit.kind == "ORDERS" and not window.add(account):
                raise OverLimit(limit, window.ends_in_s())

    def headers(self, ip: str, account: str | None) -> dict[str, str]:
        """What was used, in the headers of an answer."""
        found = {}
        for limit, window in self._windows:
            if limit.kind == "REQUEST_WEIGHT":
                found[limit.header] = str(window.used(ip))
            elif limit.kind == "ORDERS" and account is not None:
                found[limit.header] = str(window.used(account))
        return found

    def rows(self, ip: str, account: str | None) -> list[dict[str, Any]]:
        """What was used, in an answer of the WebSocket API."""
        found = []
        for limit, window in self._windows:
            if limit.kind == "REQUEST_WEIGHT":
                found.append(limit.row(window.used(ip)))
            elif limit.kind == "ORDERS" and account is not None:
                found.append(limit.row(window.used(account)))
        return found
