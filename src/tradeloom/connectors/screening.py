"""Quotes that cannot be true are kept out: zero, negative, crossed, or far from the last good one.

Each listing has a band around its last closer look; a quote inside it costs one comparison. A jump
is believed when several quotes in a row agree on it.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

from tradeloom.connectors.instruments import Listing
from tradeloom.connectors.limits import JUMP_AGREEING, JUMP_MAX


class Screen:
    """Counts what it keeps out, by rule."""

    def __init__(self, jump_max: float = JUMP_MAX) -> None:
        self.counts: Final[Counter[str]] = Counter()
        self._jump = jump_max

    def passes(self, listing: Listing, bid: int, ask: int) -> bool:
        """Whether the quote may go on."""
        if listing.low <= bid <= ask <= listing.high:
            listing.last = bid
            return True
        return self._look(listing, bid, ask)

    def _look(self, listing: Listing, bid: int, ask: int) -> bool:
        if bid <= 0 or ask <= 0:
            self.counts["zero or negative"] += 1
            return False
        if bid > ask:
            self.counts["crossed"] += 1
            return False
        middle = (bid + ask) // 2
        if listing.last and abs(middle - listing.last) > listing.last * self._jump:
            # A candidate level: `agreeing` counts quotes that stay near it.
            near = listing.low > listing.high and abs(middle - listing.low) <= listing.low * 0.01
            listing.agreeing = listing.agreeing + 1 if near else 1
            if listing.agreeing < JUMP_AGREEING:
                # An empty band (low > high) remembers the candidate and sends every quote here.
                listing.low, listing.high = middle, 0
                self.counts["jump"] += 1
                return False
        reach = max(int(middle * self._jump / 2), ask - bid, 1)
        listing.low, listing.high = max(middle - reach, 1), middle + reach
        listing.last, listing.agreeing = middle, 0
        return True
