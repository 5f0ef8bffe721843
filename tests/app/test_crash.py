"""Acknowledged is durable: a killed service comes back with every acknowledged order, once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.app.crash import kills


def test_killed_under_load(tmp_path: Path) -> None:
    tally = kills(tmp_path / "data", runs=2)
    assert tally.acknowledged > 0
    assert (tally.missing, tally.doubled, tally.unbalanced) == (0, 0, 0), tally.faults[:10]


@pytest.mark.soak
def test_killed_many_times(tmp_path: Path) -> None:
    tally = kills(tmp_path / "data", runs=50)
    assert (tally.missing, tally.doubled, tally.unbalanced) == (0, 0, 0), tally.faults[:10]
