"""A second, naive reader of journal files to judge the real one by: they share no code."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from pathlib import Path


def payloads(directory: Path) -> Iterator[bytes]:
    """The payload of every record, up to the first bytes that are not one."""
    number, previous = 1, bytes(16)
    for path in sorted(directory.glob("*.tlj")):
        data = path.read_bytes()
        assert int(path.stem) == number, f"{path.name} where record {number} must be"
        at = 4096
        while at + 64 <= len(data):
            head = struct.unpack_from("<IIQQQIIq16s", data, at)
            length = head[0]
            if not length or head[2] != number or head[8] != previous:
                break
            record = data[at : at + 64 + length]
            previous = hashlib.blake2b(record, digest_size=16).digest()
            yield record[64:]
            number += 1
            at += -(-(64 + length) // 64) * 64


def inputs(payload: bytes) -> Iterator[tuple[int, int, str, bytes]]:
    """Kind, account, command id and whole record of each input in a payload."""
    at = 0
    while at < len(payload):
        length, kind = struct.unpack_from("<IH", payload, at)
        assert 16 <= length <= len(payload) - at, "a record is torn"
        account, name = 0, b""
        if kind >= 10:
            account, name = struct.unpack_from("<Q32s", payload, at + 16)
        yield kind, account, name.rstrip(b"\0").decode(), payload[at : at + length]
        at += length
