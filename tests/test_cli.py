"""The command line answers as a user would type it: a real process, the real entry point."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tradeloom import __version__


def _tradeloom(*arguments: str) -> subprocess.CompletedProcess[str]:
    code = "from tradeloom.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False
    )


def test_version() -> None:
    done = _tradeloom("--version")
    assert (done.returncode, done.stdout) == (0, f"tradeloom {__version__}\n")


def test_unknown_sub_command_is_refused() -> None:
    done = _tradeloom("no-such-thing")
    assert done.returncode == 2
    assert "no-such-thing" in done.stderr
    assert "Traceback" not in done.stderr


def test_market_names_itself_by_a_digest() -> None:
    first, again = (_tradeloom("market", "--ticks", "50000", "--seed", "3") for _ in range(2))
    assert first.returncode == 0, first.stderr
    assert first.stdout == again.stdout
    assert "EURUSD" in first.stdout
    assert "digest" in first.stdout


def test_market_refuses_an_unknown_symbol() -> None:
    done = _tradeloom("market", "--symbols", "NOPE")
    assert done.returncode == 2
    assert "NOPE" in done.stderr
    assert "Traceback" not in done.stderr


def test_recordings_are_listed(tmp_path: Path) -> None:
    (tmp_path / "EURUSD.csv").write_text("ts_ns,bid,ask\n1,1.10,1.12\n2,1.3,1.2\n")
    done = _tradeloom("recordings", str(tmp_path))
    assert done.returncode == 0, done.stderr
    (line,) = [line.split() for line in done.stdout.splitlines() if "EURUSD" in line]
    assert line[:4] == ["csv", "EURUSD", "2", "1"]
    assert line[-3:] == ["0", "1", "0"]


def test_a_bad_recording_is_named(tmp_path: Path) -> None:
    path = tmp_path / "EURUSD.csv"
    path.write_text("ts_ns,bid,ask\n1,x,2\n")
    done = _tradeloom("recordings", str(path))
    assert done.returncode == 1
    assert f"{path}, line 2: " in done.stderr
    assert "Traceback" not in done.stderr
