"""kill -9 of a real process under load: what it acknowledged is there, once, and whole."""

from __future__ import annotations

import os

import pytest

from benchmarks import crash

RUNS = 10
SOAK_RUNS = int(os.environ.get("TRADELOOM_KILLS", "200"))


def _holds(totals: crash.Crashes, runs: int) -> None:
    assert totals.runs == runs
    assert totals.acknowledged > runs * 10, "the load did nothing"
    assert (totals.lost, totals.duplicated, totals.torn, totals.wrong_hash) == (0, 0, 0, 0)


@pytest.mark.timeout(280)
def test_ten_kills() -> None:
    _holds(crash.run(RUNS, seed=7), RUNS)


@pytest.mark.soak
def test_hundreds_of_kills() -> None:
    _holds(crash.run(SOAK_RUNS, seed=int.from_bytes(os.urandom(4), "little")), SOAK_RUNS)
