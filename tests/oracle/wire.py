"""Encodes inputs and decodes events, from the layout table that stands in core/src/wire.rs."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.oracle.codes import At, Code, RefusedError

Value = int | bytes
WIRE_RS = Path(__file__).resolve().parents[2] / "core/src/wire.rs"
LETTERS = {"u8": "B", "u16": "H", "u32": "I", "u64": "Q", "i64": "q", "i128": "16s", "Id": "32s"}
INPUT_HEADER = struct.Struct("<IHHq")
COMMAND_HEADER = struct.Struct("<Q32s")
EVENT_HEADER = struct.Struct("<IHHQqQ")
FIRST_COMMAND = 10
WITH_JSON = {10, 11, 12}
ID_CHARACTERS = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")


@dataclass(frozen=True)
class Layout:
    """Fields of one record body."""

    name: str
    kind: int
    fields: tuple[tuple[str, str], ...]

    @property
    def packer(self) -> struct.Struct:
        return struct.Struct("<" + "".join(LETTERS[kind] for _, kind in self.fields))


def _layouts() -> tuple[dict[int, Layout], dict[int, Layout], Layout]:
    text = re.sub(r"//[^\n]*", "", WIRE_RS.read_text("utf-8"))
    inputs: dict[int, Layout] = {}
    events: dict[int, Layout] = {}
    leg = None
    for name, kind, body in re.findall(
        r"record!\s*\{\s*(\w+) = (\d+)\s*\{(.*?)\}\s*\}", text, re.DOTALL
    ):
        fields = tuple((f, t) for f, t in re.findall(r"(\w+)\s*:\s*(\w+)", body))
        layout = Layout(name, int(kind), fields)
        if name == "LedgerLeg":
            leg = layout
        elif name.startswith("Event") and name != "EventHeader":
            events[layout.kind] = layout
        elif not name.endswith("Header"):
            inputs[layout.kind] = layout
    assert leg is not None
    return inputs, events, leg


INPUTS, EVENTS, LEG = _layouts()
PACKERS = {kind: layout.packer for kind, layout in INPUTS.items()}
EVENT_PACKERS = {kind: layout.packer for kind, layout in EVENTS.items()}
LEG_PACKER = LEG.packer
KIND_OF = {layout.name: kind for kind, layout in INPUTS.items()}
EVENT_OF = {layout.name.removeprefix("Event"): kind for kind, layout in EVENTS.items()}


@dataclass(frozen=True)
class InputRecord:
    """One input: header, body fields by name and the JSON text of a definition."""

    kind: int
    ts: int
    account: int = 0
    id: bytes = b""
    fields: Mapping[str, Value] = field(default_factory=dict)
    json: bytes = b""
    flags: int = 0

    def __str__(self) -> str:
        name = INPUTS[self.kind].name if self.kind in INPUTS else f"kind {self.kind}"
        shown = {key: value for key, value in self.fields.items() if value not in (0, bytes(32))}
        text = self.json.decode("utf-8", "replace")
        return f"{name} ts={self.ts} account={self.account} id={self.id!r} {shown} {text}".rstrip()


@dataclass(frozen=True)
class EventRecord:
    """One event: header, body fields by name, the legs of a LEDGER, the JSON text of a CONFIG."""

    kind: int
    flags: int
    seq: int
    ts: int
    cause: int
    fields: Mapping[str, Value]
    legs: tuple[Mapping[str, Value], ...] = ()
    json: bytes = b""

    @property
    def name(self) -> str:
        return EVENTS[self.kind].name.removeprefix("Event")

    def __str__(self) -> str:
        shown = {key: value for key, value in self.fields.items() if value not in (0, bytes(32))}
        legs = "".join(f"\n        leg {dict(leg)}" for leg in self.legs)
        head = f"{self.name} flags={self.flags} seq={self.seq} ts={self.ts} cause={self.cause}"
        return f"{head} {shown}{legs} {self.json.decode('utf-8', 'replace')}".rstrip()


def make(name: str, ts: int, account: int = 0, id: bytes = b"", **values: Value) -> InputRecord:  # noqa: A002
    """An input by the name of its record; fields not given are 0."""
    kind = KIND_OF[name]
    fields = {key: _default(kind_of) for key, kind_of in INPUTS[kind].fields}
    assert set(values) <= set(fields), set(values) - set(fields)
    return InputRecord(kind, ts, account, id, {**fields, **values})


def definition(name: str, ts: int, text: bytes, id: bytes = b"") -> InputRecord:  # noqa: A002
    """A DEFINE_* input with its JSON text."""
    return InputRecord(KIND_OF[name], ts, 0, id, {}, text)


def _default(letter: str) -> Value:
    return bytes(32) if letter == "Id" else 0


def _pack(packer: struct.Struct, layout: Layout, fields: Mapping[str, Value]) -> bytes:
    values: list[Value] = []
    for key, letter in layout.fields:
        value = fields[key]
        if letter == "i128":
            assert isinstance(value, int)
            value = value.to_bytes(16, "little", signed=True)
        values.append(value)
    return packer.pack(*values)


def _unpack(packer: struct.Struct, layout: Layout, raw: bytes) -> dict[str, Value]:
    values = dict(zip((key for key, _ in layout.fields), packer.unpack(raw), strict=True))
    for key, letter in layout.fields:
        if letter == "i128":
            values[key] = int.from_bytes(values[key], "little", signed=True)
    return values


def body_of(record: InputRecord) -> bytes:
    """What follows the headers: the fixed body and the zero-padded JSON text."""
    layout = INPUTS[record.kind]
    padding = b"\0" * (-len(record.json) % 8)
    return _pack(PACKERS[record.kind], layout, record.fields) + record.json + padding


def encode(record: InputRecord) -> bytes:
    """The bytes of one input."""
    body = body_of(record)
    if record.kind >= FIRST_COMMAND:
        body = COMMAND_HEADER.pack(record.account, record.id.ljust(32, b"\0")) + body
    return INPUT_HEADER.pack(16 + len(body), record.kind, record.flags, record.ts) + body


def decode_inputs(batch: bytes) -> Iterable[InputRecord | RefusedError]:
    """Inputs of a batch; a malformed one is what its answer says."""
    at = 0
    while at < len(batch):
        if len(batch) - at < INPUT_HEADER.size:
            yield RefusedError(Code.BAD_RECORD, At.LENGTH)
            return
        length, kind, flags, ts = INPUT_HEADER.unpack_from(batch, at)
        if length < INPUT_HEADER.size or length % 8 or at + length > len(batch):
            yield RefusedError(Code.BAD_RECORD, At.LENGTH)
            return
        yield _decode_input(kind, flags, ts, batch[at + 16 : at + length])
        at += length


def _decode_input(kind: int, flags: int, ts: int, body: bytes) -> InputRecord | RefusedError:
    if kind not in INPUTS:
        return RefusedError(Code.UNKNOWN_KIND, At.KIND)
    if flags:
        return RefusedError(Code.BAD_RECORD, At.FLAGS)
    account, name = 0, b""
    head = COMMAND_HEADER.size if kind >= FIRST_COMMAND else 0
    size = head + PACKERS[kind].size
    if len(body) < size or (len(body) != size and kind not in WITH_JSON):
        return RefusedError(Code.BAD_RECORD, At.LENGTH)
    if head:
        account, name = COMMAND_HEADER.unpack_from(body)
        name = name.rstrip(b"\0")
        if not ID_CHARACTERS.issuperset(name):
            return RefusedError(Code.BAD_RECORD, At.ID)
    fields = _unpack(PACKERS[kind], INPUTS[kind], body[head:size])
    return InputRecord(kind, ts, account, name, fields, body[size:].rstrip(b"\0"))


def decode_events(events: bytes) -> list[EventRecord]:
    """The events of a batch of event bytes."""
    found = []
    at = 0
    while at < len(events):
        length, kind, flags, seq, ts, cause = EVENT_HEADER.unpack_from(events, at)
        body = events[at + EVENT_HEADER.size : at + length]
        size = EVENT_PACKERS[kind].size
        fields = _unpack(EVENT_PACKERS[kind], EVENTS[kind], body[:size])
        rest = body[size:]
        legs: list[dict[str, Value]] = []
        text = b""
        if kind == EVENT_OF["Ledger"]:
            step = LEG_PACKER.size
            legs = [_unpack(LEG_PACKER, LEG, rest[i : i + step]) for i in range(0, len(rest), step)]
        elif kind == EVENT_OF["Config"]:
            text = rest.rstrip(b"\0")
        else:
            assert not rest, "bytes after an event"
        found.append(EventRecord(kind, flags, seq, ts, cause, fields, tuple(legs), text))
        at += length
    return found


def decode_records(name: str, packed: bytes) -> list[dict[str, Value]]:
    """Events of one kind without what follows them; zeros left out."""
    kind = EVENT_OF[name]
    packer, layout = EVENT_PACKERS[kind], EVENTS[kind]
    size = EVENT_HEADER.size + packer.size
    starts = range(EVENT_HEADER.size, len(packed), size)
    bodies = [packed[at : at + packer.size] for at in starts]
    return [
        {key: value for key, value in _unpack(packer, layout, body).items() if value}
        for body in bodies
    ]
