"""Single frames into a dialect, and captures of whole connections."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from tests.connectors.recorded import Heard, NoLink, lines
from tradeloom.connectors.dialect import OddFrame
from tradeloom.domain.market import InstrumentKind, VenueInstrument


def spot(venue: str, wire: str, base: str, quote: str, digits: int) -> VenueInstrument:
    """A pair."""
    return VenueInstrument(
        venue=venue, symbol=base + quote, wire=wire, kind=InstrumentKind.SPOT, base=base,
        quote=quote, settle=quote, digits=digits, tick=1, step=1,
    )  # fmt: skip


def hear(read: Callable[..., None], frame: Any, heard: Heard, recv_ns: int = 1) -> list[Any]:
    """One frame; what it told. Odd and malformed ones are counted as the feed counts them."""
    text = frame if isinstance(frame, str) else msgspec.json.encode(frame).decode()
    before = len(heard.events)
    try:
        read(text, recv_ns, heard, NoLink())
    except OddFrame as odd:
        heard.counts[f"odd: {odd.kind}"] += 1
    except msgspec.DecodeError:
        heard.counts["odd: malformed"] += 1
    return heard.events[before:]


def captured(path: str) -> Iterator[tuple[int, str]]:
    """(receive time in ns, text) of every received frame of a capture."""
    for line in lines(path):
        when, colon, text = line.strip().partition(": ")
        if colon and when.replace(".", "", 1).isdigit() and text:
            yield int(float(when) * 1e9), text


def answers(path: str) -> Iterator[tuple[str, str]]:
    """(address, body) of every REST answer of a capture."""
    for line in lines(path):
        address, arrow, rest = line.partition(" -> ")
        if arrow:
            yield address, rest.partition(": ")[2]
