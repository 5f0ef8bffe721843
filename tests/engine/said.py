"""Answers in a form that tests can compare, and a clock that only the test moves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tradeloom.engine.results import RESULT


@dataclass(frozen=True, slots=True)
class Said:
    """One RESULT."""

    index: int
    code: int
    field: int
    flags: int


def said(answer: bytes) -> list[Said]:
    """The RESULTs of an answer."""
    return [
        Said(int(row["index"]), int(row["code"]), int(row["field"]), int(row["flags"]))
        for row in np.frombuffer(answer, RESULT)
    ]


class StepClock:
    """Nanoseconds that grow by one second per look, and can be set back."""

    def __init__(self) -> None:
        self.now = 1_700_000_000_000_000_000

    def __call__(self) -> int:
        self.now += 1_000_000_000
        return self.now
