"""Journaled inputs back into names and numbers, for people and for `tradeloom journal show`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from tradeloom.engine.frames import walk
from tradeloom.engine.records import COMMAND_HEADER, INPUT_HEADER, INPUTS

_BY_KIND: Final = {record.kind: (name, record) for name, record in INPUTS.items()}
_COMMANDS_FROM: Final = 3


def decode(payload: bytes) -> Iterator[dict[str, Any]]:
    """Every input as a mapping: kind, ts, account and id of commands, and the fields not 0."""
    for at in walk(payload):
        length, kind, _, ts = INPUT_HEADER.unpack_from(payload, at)
        name, record = _BY_KIND.get(kind, (f"kind {kind}", None))
        found: dict[str, Any] = {"kind": name, "ts": ts}
        body = at + INPUT_HEADER.size
        if kind >= _COMMANDS_FROM:
            account, command_id = COMMAND_HEADER.unpack_from(payload, body)
            found["account"] = account
            found["id"] = command_id.rstrip(b"\0").decode("ascii", "replace")
            body += COMMAND_HEADER.size
        if record is not None:
            found |= {key: _plain(v) for key, v in record.unpack(payload, body).items() if v}
            body += record.size
        tail = payload[body : at + length].rstrip(b"\0")
        if tail:
            found["body"] = _json_or_text(tail)
        yield found


def _plain(value: object) -> object:
    if isinstance(value, bytes):
        return value.rstrip(b"\0").decode("ascii", "replace")
    return value


def _json_or_text(raw: bytes) -> object:
    try:
        return json.loads(raw)
    except ValueError:
        return raw.decode("utf-8", "replace")
