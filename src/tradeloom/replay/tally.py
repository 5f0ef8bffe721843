"""Counts what happened from the packed events of each batch, without making a value of each."""

from __future__ import annotations

import struct
from collections import Counter
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tradeloom.domain.enums import MarginLevel, OrderState, PositionState, Reason, ReturnCode
from tradeloom.engine.records import EVENTS, event_dtype

_HEAD: Final = struct.Struct("<IH")
_COUNTED: Final = ("EventResult", "EventOrder", "EventFill", "EventPosition", "EventMargin")
_REASON_WORDS: Final = {
    Reason.STOP_LOSS: "stop_loss",
    Reason.TAKE_PROFIT: "take_profit",
    Reason.PENDING: "pending",
    Reason.STOP_OUT: "stop_out_closes",
    Reason.LIQUIDATION: "liquidations",
}


class Tally:
    """Running counts by name, in `counts`; rejections by return code, in `rejected`."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.rejected: Counter[str] = Counter()
        self._last_order = 0
        self._dtypes = {EVENTS[name].kind: event_dtype(name) for name in _COUNTED}
        self._kinds = {EVENTS[name].kind: name for name in _COUNTED}

    def add(self, events: bytes) -> None:
        """Count the events of one batch."""
        places: dict[int, list[int]] = {kind: [] for kind in self._kinds}
        at, end, unpack = 0, len(events), _HEAD.unpack_from
        total = 0
        while at < end:
            length, kind = unpack(events, at)
            if kind in places:
                places[kind].append(at)
            at += length
            total += 1
        self.counts["events"] += total
        words = np.frombuffer(events, np.uint64)
        for kind, found in places.items():
            if found:
                self._count(self._kinds[kind], _rows(words, found, self._dtypes[kind]))

    def _count(self, name: str, rows: NDArray[np.void]) -> None:
        counts = self.counts
        match name:
            case "EventResult":
                codes, numbers = np.unique(rows["code"], return_counts=True)
                for code, number in zip(codes.tolist(), numbers.tolist(), strict=True):
                    counts["commands"] += number
                    if not ReturnCode(code).good:
                        self.rejected[ReturnCode(code).name] += number
            case "EventOrder":
                # Ids come from one rising counter, so an order is new when its id is.
                fresh = np.unique(rows["order"][rows["order"] > self._last_order])
                if fresh.size:
                    self._last_order = int(fresh[-1])
                counts["orders"] += int(fresh.size)
                counts["expired"] += int((rows["state"] == OrderState.EXPIRED).sum())
            case "EventFill":
                counts["fills"] += len(rows)
                for reason, word in _REASON_WORDS.items():
                    counts[word] += int((rows["reason"] == reason).sum())
            case "EventPosition":
                moved = rows["reason"] == Reason.TRAILING
                counts["trailing_moves"] += int(moved.sum())
                counts["opened"] += int((rows["state"] == PositionState.OPENED).sum())
                counts["closed"] += int((rows["state"] == PositionState.CLOSED).sum())
            case "EventMargin":
                counts["margin_calls"] += int((rows["level"] == MarginLevel.MARGIN_CALL).sum())
                counts["stop_outs"] += int((rows["level"] == MarginLevel.STOP_OUT).sum())


def _rows(words: NDArray[np.uint64], places: list[int], dtype: np.dtype[Any]) -> NDArray[np.void]:
    """The records of one kind that start at the bytes `places`, as one array."""
    take = np.array(places)[:, None] // 8 + np.arange(dtype.itemsize // 8)
    return words[take].reshape(-1).view(dtype)
