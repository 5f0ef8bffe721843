"""The examples run as their reader would run them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"


def _blocks(page: str) -> list[str]:
    """The Python on a page."""
    text = (EXAMPLES.parent / page).read_text("utf-8")
    return [block.split("```")[0] for block in text.split("```python\n")[1:]]


def _execute(code: str, folder: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=folder
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_readme(tmp_path: Path) -> None:
    (block,) = (each for each in _blocks("README.md") if "Engine.open" in each)
    assert _execute(block, tmp_path).endswith(" 9999.80\n")


def test_the_page_about_embedding(tmp_path: Path) -> None:
    first, commands, definitions, batches = _blocks("docs/engine/embedding.md")
    assert _execute(first, tmp_path) == "10200.80\n"
    setting = (
        "from tradeloom.domain.presets import DEMO, EURUSD\nfrom tradeloom.engine import Engine\n"
        "start_ns = 1_767_787_200_000_000_000\nengine = Engine.open(clock=lambda: start_ns)\n"
        "engine.define(EURUSD, DEMO)\nfor number in (1001, 1002, 1003):\n"
        "    engine.open_account(number, group='demo')\n    engine.deposit(number, '10000')\n"
        "engine.quote('EURUSD', '1.10000', '1.10002')\n"
    )
    said = _execute(setting + commands + definitions + batches, tmp_path)
    assert said.startswith("TRADE_NO_MONEY 134 volume")
    count = "print(sum(len(engine.positions(n)) for n in engine.accounts()))"
    assert _execute(setting + batches + count, tmp_path) == "3\n"


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
