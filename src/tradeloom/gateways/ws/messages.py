"""The words of the socket: what a client may say, how we say things, and why we hang up.

Both sides send objects. Clients name an `op`, servers a `type`. `id` is the client's own mark and
comes back in the answer. The API guide lists every message with an example.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Annotated, Any, Final, Protocol

import msgspec

from tradeloom.engine.records import EVENTS
from tradeloom.gateways.limits import QUOTE_INTERVAL_MAX_MS, QUOTE_INTERVAL_MS, SYMBOLS_MAX
from tradeloom.gateways.problems import ApiCode, Problem
from tradeloom.security.rights import Scope

JSON: Final = "tradeloom.json"
MSGPACK: Final = "tradeloom.msgpack"
BEARER: Final = "bearer."
"""Prefix of the subprotocol that carries a token, for browsers, which cannot set headers."""

_Meta = msgspec.Meta
_Mark = Annotated[str, _Meta(max_length=64)]
_Symbol = Annotated[str, _Meta(min_length=1, max_length=32)]
Symbols = Annotated[tuple[_Symbol, ...], _Meta(max_length=SYMBOLS_MAX)]
Seq = Annotated[int, _Meta(ge=0, le=2**63 - 1)]
Channel = Annotated[str, _Meta(max_length=32)]


class Close(IntEnum):
    """Close codes of ours, and what a client should do."""

    UNAUTHENTICATED = 4401  # sign in, connect again
    FORBIDDEN = 4403  # not for this role or key
    NOT_IN_TIME = 4408  # say who you are sooner
    MALFORMED = 4400  # repair the client
    TOO_SLOW = 4413  # read faster or subscribe to less, then resume
    TOO_FREQUENT = 4429  # send fewer messages
    FULL = 4503  # too many connections, come back later


class _In(msgspec.Struct, forbid_unknown_fields=True, tag_field="op", kw_only=True):
    """What all client messages have."""

    id: _Mark | None = None


class Authenticate(_In, tag="authenticate"):
    """Say who you are: an access token or an API key."""

    token: Annotated[str, _Meta(min_length=1, max_length=4096)]


class Subscribe(_In, tag="subscribe"):
    """Hear a channel. Quotes: `symbols` (none: all), at the prices of `account` if it is given.

    Own channels: `account`.
    """

    channel: Channel
    symbols: Symbols | None = None
    interval_ms: Annotated[int, _Meta(ge=0, le=QUOTE_INTERVAL_MAX_MS)] = QUOTE_INTERVAL_MS
    account: Seq | None = None
    resume_from: Seq | None = None


class Unsubscribe(_In, tag="unsubscribe"):
    """Hear a channel no more."""

    channel: Channel
    symbols: Symbols | None = None
    account: Seq | None = None


class Ping(_In, tag="ping"):
    """Ask for a pong with the server's time."""


AnyMessage = Authenticate | Subscribe | Unsubscribe | Ping

Frame = dict[str, Any]
"""A message of ASGI that sends one frame; shared between readers, so never changed."""
QUOTES: Final = "quotes"
_KIND: Final = {record.kind: name for name, record in EVENTS.items() if record.kind}
_OWN: Final = {
    "EventOrder": "orders",
    "EventFill": "orders",
    "EventRoute": "orders",
    "EventPosition": "positions",
    "EventLedger": "balances",
    "EventMargin": "balances",
    "EventAccount": "balances",
}
CHANNEL_OF: Final = {kind: _OWN[name] for kind, name in _KIND.items() if name in _OWN}
"""Event kind -> the channel of the account it is about."""
STAFF_OF: Final = {
    kind: {"EventLedger": "ledger"}.get(name, "system")
    for kind, name in _KIND.items()
    if name in ("EventLedger", "EventConfig", "EventAccount", "EventMargin", "EventState")
}
"""Event kind -> the channel of staff that has it for every account."""
OWN_CHANNELS: Final = frozenset(_OWN.values())
STAFF_CHANNELS: Final = {"ledger": Scope.LEDGER_READ, "system": Scope.SYSTEM_READ}


class Codec(Protocol):
    """One of the two encodings."""

    name: str

    def encode(self, value: Any) -> bytes:
        """An object as bytes."""

    def decode(self, data: bytes | str) -> AnyMessage:
        """A client's message; raises `msgspec.DecodeError` and `msgspec.ValidationError`."""

    def quotes(self, parts: list[bytes]) -> bytes:
        """A frame of encoded quotes."""

    def frame(self, data: bytes) -> Frame:
        """What is sent for encoded bytes; made once for all readers of them."""


class JsonCodec:
    """Text frames."""

    name = "json"
    _decoder = msgspec.json.Decoder(AnyMessage)
    _encoder = msgspec.json.Encoder()

    def encode(self, value: Any) -> bytes:
        """An object as bytes."""
        return self._encoder.encode(value)

    def decode(self, data: bytes | str) -> AnyMessage:
        """A client's message."""
        said: AnyMessage = self._decoder.decode(data)
        return said

    def quotes(self, parts: list[bytes]) -> bytes:
        """A frame of encoded quotes."""
        return b'{"type":"quotes","quotes":[' + b",".join(parts) + b"]}"

    def frame(self, data: bytes) -> Frame:
        """A text frame."""
        return {"type": "websocket.send", "text": data.decode()}


class MsgpackCodec:
    """Binary frames."""

    name = "msgpack"
    _decoder = msgspec.msgpack.Decoder(AnyMessage)
    _encoder = msgspec.msgpack.Encoder()
    _head = (
        b"\x82" + _encoder.encode("type") + _encoder.encode("quotes") + _encoder.encode("quotes")
    )

    def encode(self, value: Any) -> bytes:
        """An object as bytes."""
        return self._encoder.encode(value)

    def decode(self, data: bytes | str) -> AnyMessage:
        """A client's message; text frames are not MessagePack."""
        if isinstance(data, str):
            raise msgspec.DecodeError("a text frame on a MessagePack connection")
        said: AnyMessage = self._decoder.decode(data)
        return said

    def quotes(self, parts: list[bytes]) -> bytes:
        """A frame of encoded quotes."""
        count = len(parts)
        size = bytes((0x90 | count,)) if count < 16 else b"\xdc" + count.to_bytes(2, "big")
        return self._head + size + b"".join(parts)

    def frame(self, data: bytes) -> Frame:
        """A binary frame."""
        return {"type": "websocket.send", "bytes": data}


CODECS: Final[dict[str, Codec]] = {JSON: JsonCodec(), MSGPACK: MsgpackCodec()}


def error(problem: Problem, mark: str | None = None) -> dict[str, Any]:
    """A refusal as a message."""
    made = {
        "type": "error",
        "code": int(problem.code),
        "name": problem.code.name,
        "field": problem.field,
        "detail": problem.detail,
        **problem.extra,
    }
    if mark is not None:
        made["id"] = mark
    return made


def unknown_channel(detail: str) -> Problem:
    """A channel that is not there or not for this caller."""
    return Problem(404, ApiCode.UNKNOWN_CHANNEL, detail, field="channel")
