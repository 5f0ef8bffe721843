"""The instruments of a venue by our name and the venue's, with what the hot path needs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from typing import Final

from tradeloom.connectors.contract import UnknownSymbol
from tradeloom.domain.market import VenueInstrument


class Listing:
    """One instrument as the decoder wants it: plain attributes, and the band of good prices."""

    __slots__ = (
        "agreeing",
        "digits",
        "high",
        "instrument",
        "last",
        "low",
        "scale",
        "symbol",
        "venue",
        "wire",
    )

    def __init__(self, instrument: VenueInstrument) -> None:
        self.instrument: Final = instrument
        self.venue: Final = instrument.venue
        self.symbol: Final = instrument.symbol
        self.wire: Final = instrument.wire
        self.digits: Final = instrument.digits
        self.scale: Final = float(10**instrument.digits)
        # Between `low` and `high` a quote passes without a closer look (see `screening`).
        self.low = 1
        self.high = 0
        self.last = 0
        self.agreeing = 0


class Listings:
    """All listings of a venue; `wire` and `named` are plain dicts for the hot path."""

    def __init__(self, venue: str, instruments: Iterable[VenueInstrument] = ()) -> None:
        self.venue: Final = venue
        self.wire: Final[dict[str, Listing]] = {}
        self.named: Final[dict[str, Listing]] = {}
        self.load(instruments)

    def load(self, instruments: Iterable[VenueInstrument]) -> None:
        """Take a list from the venue; unchanged listings keep their identity and their band."""
        for instrument in instruments:
            known = self.wire.get(instrument.wire)
            if known is not None and known.instrument == instrument:
                continue
            listing = Listing(instrument)
            self.wire[instrument.wire] = listing
            self.named[instrument.symbol] = listing

    def find(self, name: str) -> Listing:
        """The listing of our name or the venue's, in any case; raises UnknownSymbol."""
        listing = self.named.get(name) or self.wire.get(name)
        if listing is not None:
            return listing
        plain = name.upper()
        listing = self.named.get(plain) or self.wire.get(plain) or self.wire.get(name.lower())
        if listing is not None:
            return listing
        near = get_close_matches(plain, self.named, 3)
        hint = f"; did you mean {', '.join(near)}?" if near else ""
        raise UnknownSymbol(f"{self.venue} lists no {name!r}{hint}")

    def __iter__(self) -> Iterator[Listing]:
        return iter(self.named.values())

    def __len__(self) -> int:
        return len(self.named)
