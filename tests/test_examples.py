"""The examples run as their reader would run them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"


def _run(*arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / "embed.py"), *arguments],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_embed_in_memory() -> None:
    assert _run().splitlines() == [
        "EURUSD BUY 0.10 profit 49.80",
        "balance 10000.00 equity 10049.80 margin 110.00",
    ]


def test_embed_remembers(tmp_path: Path) -> None:
    first = _run(str(tmp_path / "data"))
    assert _run(str(tmp_path / "data")) == first
