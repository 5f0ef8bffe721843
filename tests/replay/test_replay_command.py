"""`tradeloom replay` as a user runs it: a real process, its output, and what it refuses."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

COMMAND = [sys.executable, "-c", "from tradeloom.cli import main; main()", "replay"]


def _replay(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, check=False)


def _json(*arguments: str) -> dict[str, Any]:
    done = _replay("--json", *arguments)
    assert done.returncode == 0, done.stderr
    outcome: dict[str, Any] = json.loads(done.stdout)
    return outcome


def test_tables() -> None:
    done = _replay("--ticks", "30000", "--accounts", "200")
    assert done.returncode == 0
    for word in ("What happened", "Stop losses", "Ledgers (debits = credits)", "state hash"):
        assert word in done.stdout
    assert "│ yes" in done.stdout
    assert "│ NO " not in done.stdout


def test_json_is_repeatable_and_a_journal_changes_nothing(tmp_path: Path) -> None:
    options = ("--ticks", "30000", "--accounts", "200", "--seed", "7")
    plain = _json(*options)
    kept = _json(*options, "--journal", str(tmp_path / "journal"))
    assert plain["state_hash"] == kept["state_hash"]
    assert len(plain["state_hash"]) == 64
    assert plain["counts"] == kept["counts"]
    assert list((tmp_path / "journal").glob("*.tlj"))


def test_interrupted_replay_says_what_happened() -> None:
    with subprocess.Popen(
        [*COMMAND, "--ticks", "1000000000", "--accounts", "50"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        assert "ticks/s" in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "interrupted: this is what happened until then" in out
    assert "state hash" in out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["no-such-file"], "no-such-file: no such file or folder"),
        (["{garbage}"], "not a recorded format"),
        (["{empty}"], "the file is empty"),
        (["{folder}"], "no recording found"),
        (["--journal", "{folder}"], "not an empty folder"),
        (["--journal", "{garbage}"], "not an empty folder"),
        (["--ticks", "0"], "--ticks 0: give 1 or more"),
        (["--accounts", "0"], "--accounts 0"),
        (["--seed", "-1"], "--seed -1"),
        (["--speed", "warp"], "--speed warp"),
        (["--speed", "nan"], "--speed nan"),
    ],
)
def test_what_cannot_be_used_is_one_clear_line(
    tmp_path: Path, arguments: list[str], says: str
) -> None:
    garbage, empty = tmp_path / "garbage.zip", tmp_path / "empty.csv"
    garbage.write_bytes(os.urandom(2000))
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "notes.txt").write_text("nothing\n")
    empty.touch()
    done = _replay(
        *(each.format(garbage=garbage, empty=empty, folder=folder) for each in arguments)
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert says in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert "Traceback" not in done.stderr
