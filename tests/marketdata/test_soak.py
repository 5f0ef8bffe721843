"""A generated market runs for as long as it is left: no bad tick, no growing memory."""

from __future__ import annotations

import os
import resource
import time

import numpy as np
import pytest

from tradeloom.marketdata.generator import MarketGenerator

# Windows differ in size; what is held ahead does not. A leak would pass this within minutes.
GROWTH_KB_MAX = 100_000
WARM_UP_CHUNKS = 200


@pytest.mark.soak
def test_the_market_never_stops_being_a_market() -> None:
    minutes = float(os.environ.get("TRADELOOM_SOAK_MINUTES", "10"))
    end = time.monotonic() + 60 * minutes
    last_ns = warm_kb = ticks = 0
    for number, chunk in enumerate(MarketGenerator(seed=99).chunks()):
        assert chunk.ts_ns[0] >= last_ns
        assert (np.diff(chunk.ts_ns) >= 0).all()
        assert (chunk.bid > 0).all()
        assert (chunk.bid < chunk.ask).all()
        last_ns = int(chunk.ts_ns[-1])
        ticks += len(chunk.ts_ns)
        if number == WARM_UP_CHUNKS:
            warm_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        if time.monotonic() > end:
            break
    assert ticks > 1_000_000
    if warm_kb:
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - warm_kb < GROWTH_KB_MAX
