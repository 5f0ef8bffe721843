"""The plain-Python judge of the engine: the rules of docs/engine/semantics.md, done naively."""

from tests.oracle.oracle import Oracle
from tests.oracle.wire import EventRecord, InputRecord, decode_events, encode

__all__ = ["EventRecord", "InputRecord", "Oracle", "decode_events", "encode"]
