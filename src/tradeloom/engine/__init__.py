"""The engine room: the embeddable `Engine`, the shard loop, and the journal under both."""

from __future__ import annotations

from tradeloom.engine.answer import Answer
from tradeloom.engine.engine import Engine

__all__ = ["Answer", "Engine"]
