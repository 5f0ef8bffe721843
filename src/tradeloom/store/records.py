"""The event records of the core as `struct` formats, checked against the core's own layout tables.

Read with plain integers and in one step: this is the inner loop of every projection. A u64 is read
as the i64 with the same bits, which is how the store keeps it (`tables.columns`).
"""

from __future__ import annotations

import struct
from typing import Final, Literal

from tradeloom._core import layouts

_LETTERS: Final = {"B": "B", "H": "H", "I": "I", "Q": "q", "q": "q", "n": "Qq", "s": "32s"}

HEADER: Final = struct.Struct("<IHHqqq")  # length, kind, flags, seq, ts, cause


def _record(side: Literal["events", "headers"], name: str, fields: str) -> struct.Struct:
    """The format of a record; `fields` are the names the reader relies on, in order."""
    layout = layouts()[side][name]
    found = [field for field, _ in layout["fields"]]
    if found != fields.split():
        raise AssertionError(f"{name}: the core has {found}, the store reads {fields}")
    return struct.Struct("<" + "".join(_LETTERS[letter] for _, letter in layout["fields"]))


CONFIG: Final = _record("events", "EventConfig", "kind new index bytes reserved")
ACCOUNT: Final = _record("events", "EventAccount", "account group leverage flags currency opened")
LEDGER: Final = _record("events", "EventLedger", "account reference balance credit first_leg count")
LEG: Final = _record("headers", "LedgerLeg", "ledger sub reason currency amount")
ORDER: Final = _record(
    "events",
    "EventOrder",
    "order account instrument side type_ tif state reason comment code leverage volume filled "
    "price limit_price sl tp expire position oco tag",
)
FILL: Final = _record(
    "events",
    "EventFill",
    "order position account instrument side entry reason flags volume price profit commission "
    "trade",
)
POSITION: Final = _record(
    "events",
    "EventPosition",
    "position account instrument side state reason flags volume price cost sl tp trailing margin "
    "swap order opened tag",
)
MARGIN: Final = _record("events", "EventMargin", "account level r0 r1 r2 equity margin")
STATE: Final = _record("events", "EventState", "target scope state r0 r1")

KINDS: Final[dict[str, int]] = {
    name: layout["kind"] for name, layout in layouts()["events"].items()
}
