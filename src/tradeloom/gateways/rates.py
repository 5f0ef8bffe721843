"""Token buckets: how often a client may do something, with room for a burst."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

from tradeloom.gateways.limits import CLIENTS_MAX


class Rates:
    """One bucket per key: `per_s` tokens a second, at most `burst`; oldest keys are forgotten."""

    def __init__(
        self,
        per_s: float,
        burst: float,
        keys_max: int = CLIENTS_MAX,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._per_s = per_s
        self._burst = burst
        self._keys_max = keys_max
        self._clock = clock
        self._buckets: OrderedDict[object, tuple[float, float]] = OrderedDict()

    def take(self, key: object, cost: float = 1.0) -> float:
        """Take a token; 0.0 when there was one, else the seconds until there will be."""
        now = self._clock()
        buckets = self._buckets
        known = buckets.get(key)
        tokens = self._burst
        if known is not None:
            tokens = min(self._burst, known[0] + (now - known[1]) * self._per_s)
        if tokens < cost:
            buckets[key] = (tokens, now)
            return (cost - tokens) / self._per_s
        buckets[key] = (tokens - cost, now)
        if known is None and len(buckets) > self._keys_max:
            buckets.popitem(last=False)
        return 0.0
