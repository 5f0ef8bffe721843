"""The venue's clock: its offset to ours, from the sample with the shortest round trip."""

from __future__ import annotations

import time
from collections import deque
from typing import Final

from tradeloom.connectors.limits import CLOCK_SAMPLES

# Two honest clocks drift apart by less than this between two samples (50 millionths a minute).
_DRIFT_NS: Final = 5_000_000


class VenueClock:
    """Offset = venue minus ours; the shortest of the last round trips bounds its error."""

    def __init__(self) -> None:
        self._samples: Final[deque[tuple[int, int]]] = deque(maxlen=CLOCK_SAMPLES)
        self._offset_ns = 0

    def sample(self, sent_ns: int, venue_ns: int, received_ns: int) -> None:
        """Take one: the venue read its clock somewhere between the two times of ours.

        Each sample bounds the offset by half its round trip. One that contradicts the best one
        means that a clock was set: what was known before is forgotten.
        """
        trip = max(received_ns - sent_ns, 0)
        offset = venue_ns - (sent_ns + trip // 2)
        if self._samples:
            best_trip, best_offset = min(self._samples)
            if abs(offset - best_offset) > (trip + best_trip) // 2 + _DRIFT_NS:
                self._samples.clear()
        self._samples.append((trip, offset))
        self._offset_ns = min(self._samples)[1]

    def now_ns(self) -> int:
        """The venue's time now."""
        return time.time_ns() + self._offset_ns

    def now_ms(self) -> int:
        """The venue's time now, in milliseconds, for signing."""
        return self.now_ns() // 1_000_000

    @property
    def offset_ms(self) -> float | None:
        """Venue minus ours; None before the first sample."""
        return self._offset_ns / 1e6 if self._samples else None

    @property
    def round_trip_ms(self) -> float | None:
        """The shortest of the last round trips."""
        return min(self._samples)[0] / 1e6 if self._samples else None
