"""The command line answers as a user would type it: a real process, the real entry point."""

from __future__ import annotations

import subprocess
import sys

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
