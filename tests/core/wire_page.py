"""Writes docs/engine/wire.md from the core's own layout tables.

python -m tests.core.wire_page > docs/engine/wire.md
"""

from __future__ import annotations

import sys

from tradeloom import _core

INTRODUCTION = """# The binary records

Made from the code by `python -m tests.core.wire_page`; a test holds this page to it. What the
fields mean stands in [semantics.md](semantics.md). Version {version}.

All numbers are little-endian, fields follow one another without gaps, every record is a multiple
of eight bytes long and starts with its own length, so a batch is records one after another.
Types: `u8 u16 u32 u64 i64 i128`, `id` = 32 bytes, zero padded.

An input is `InputHeader`, then `CommandHeader` (every kind from 10 on), then the body. An event
is `EventHeader`, then the body. DEFINE_* inputs have JSON as their body and CONFIG events carry
it behind theirs, padded with zero bytes; PLACE_ORDER and ORDER may be followed by a comment of up
to 64 bytes; LEDGER is followed by `count` times `LedgerLeg`.
"""
TYPES = {"B": "u8", "H": "u16", "I": "u32", "Q": "u64", "q": "i64", "n": "i128", "s": "id"}


def page() -> str:
    """The whole page."""
    layouts = _core.layouts()
    parts = [INTRODUCTION.format(version=_core.WIRE_VERSION)]
    for title, rows in (
        ("Headers and legs", layouts["headers"]),
        ("Inputs", layouts["inputs"]),
        ("Events", layouts["events"]),
    ):
        parts.append(f"\n## {title}\n\n| record | kind | bytes | fields |\n|---|---|---|---|\n")
        for name, row in rows.items():
            fields = ", ".join(f"{field} {TYPES[code]}" for field, code in row["fields"]) or "-"
            kind = str(row["kind"] or "-")
            parts.append(f"| {name} | {kind} | {row['size']} | {fields} |\n")
    parts.append("\n## Enumerations\n")
    for name, variants in _core.codes().items():
        listed = " · ".join(f"{number} {variant}" for variant, number in variants.items())
        parts.append(f"\n**{name}**: {listed}\n")
    return "".join(parts)


if __name__ == "__main__":
    sys.stdout.write(page())
