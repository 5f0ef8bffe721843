"""The binary records of the core, as its own layout tables describe them.

`_core.layouts()` lists every record with its fields and format letters (`core/src/wire.rs`), so
that the two sides cannot drift apart. A record is packed little-endian without gaps; an i128
(letter n) is two u64, low half first, the high half signed.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from typing import Any, Final

import numpy as np

from tradeloom import _core

EVERY_INSTRUMENT: Final = 0xFFFFFFFF
ID_BYTES: Final = 32

_LETTERS: Final = {"B": "B", "H": "H", "I": "I", "Q": "Q", "q": "q", "n": "Qq", "s": "32s"}
_NUMPY: Final = {"B": "u1", "H": "<u2", "I": "<u4", "Q": "<u8", "q": "<i8", "s": "S32"}
_MASK: Final = 2**64 - 1

INPUT_HEADER: Final = struct.Struct("<IHHq")  # length, kind, flags, ts
COMMAND_HEADER: Final = struct.Struct("<Q32s")  # account, id
EVENT_HEADER: Final = struct.Struct("<IHHQqQ")  # length, kind, flags, seq, ts, cause
QUOTE_KIND: Final = 1
CLOCK_KIND: Final = 2


class Record:
    """One record: packs a mapping of field values into bytes and back.

    `kind` is its number, `size` the bytes of its fixed body.
    """

    def __init__(self, kind: int, size: int, fields: Iterable[tuple[str, str]]) -> None:
        self.kind: Final = kind
        self.size: Final = size
        self.fields: Final = tuple((name, letter) for name, letter in fields)
        self._struct: Final = struct.Struct("<" + "".join(_LETTERS[c] for _, c in self.fields))
        if self._struct.size != size:
            raise AssertionError(f"record {kind}: {self._struct.size} bytes, layout says {size}")
        self._wide: Final = any(letter == "n" for _, letter in self.fields)
        self._names: Final = tuple(name for name, _ in self.fields)

    def pack(self, values: Mapping[str, Any]) -> bytes:
        """The body; fields that are not in `values` are zero."""
        flat: list[int | bytes] = []
        for name, letter in self.fields:
            if letter == "n":
                number = values.get(name, 0)
                flat += (number & _MASK, number >> 64)
            else:
                flat.append(values.get(name, b"" if letter == "s" else 0))
        return self._struct.pack(*flat)

    def unpack(self, data: bytes | memoryview, at: int) -> dict[str, Any]:
        """The fields of the body that starts at byte `at`."""
        flat = self._struct.unpack_from(data, at)
        if not self._wide:
            return dict(zip(self._names, flat, strict=True))
        halves = iter(flat)
        return {
            name: next(halves) + (next(halves) << 64) if letter == "n" else next(halves)
            for name, letter in self.fields
        }

    def dtype(self, header: list[tuple[str, str]]) -> np.dtype[np.void]:
        """The packed numpy type of `header` and the body.

        An i128 becomes `x_lo` and `x_hi`; a field named like one of the header becomes `x_`.
        """
        columns = list(header)
        taken = {name for name, _ in header}
        for field, letter in self.fields:
            name = f"{field}_" if field in taken else field
            if letter == "n":
                columns += [(f"{name}_lo", "<u8"), (f"{name}_hi", "<i8")]
            else:
                columns.append((name, _NUMPY[letter]))
        return np.dtype(columns)


def _table(side: str) -> dict[str, Record]:
    return {
        name: Record(layout["kind"], layout["size"], layout["fields"])
        for name, layout in _core.layouts()[side].items()
    }


INPUTS: Final[dict[str, Record]] = _table("inputs")
EVENTS: Final[dict[str, Record]] = _table("events")
LEG: Final = _table("headers")["LedgerLeg"]

_HEAD: Final = [("len", "<u4"), ("kind", "<u2"), ("flags", "<u2"), ("ts", "<i8")]
_EVENT_HEAD: Final = [
    ("len", "<u4"),
    ("kind", "<u2"),
    ("flags", "<u2"),
    ("seq", "<u8"),
    ("ts", "<i8"),
    ("cause", "<u8"),
]


def input_dtype(name: str) -> np.dtype[np.void]:
    """The numpy type of a whole input record, header included, for building batches."""
    record = INPUTS[name]
    command = record.kind not in (QUOTE_KIND, CLOCK_KIND)
    return record.dtype(_HEAD + ([("account", "<u8"), ("id", "S32")] if command else []))


def event_dtype(name: str) -> np.dtype[np.void]:
    """The numpy type of a whole event record, header included, without what may follow the body."""
    return EVENTS[name].dtype(_EVENT_HEAD)
