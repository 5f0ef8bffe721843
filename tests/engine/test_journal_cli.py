"""`tradeloom journal` as a user runs it: output, JSON and exit codes."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from benchmarks.load import buy, deposit, opening, quote
from tradeloom.engine.journal.cli import app
from tradeloom.engine.journal.format import PAGE, parse_page
from tradeloom.engine.local import LocalShard, Storage, open_local

runner = CliRunner()


def invoke(*arguments: object) -> tuple[int, str]:
    done = runner.invoke(app, [str(each) for each in arguments])
    return done.exit_code, done.output


def as_json(*arguments: object) -> tuple[int, Any]:
    code, out = invoke(*arguments, "--json")
    return code, json.loads(out)


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    storage = Storage(segment_bytes=16 << 10)
    with LocalShard(open_local(tmp_path, 3, storage=storage)) as made:
        made.write(opening(2))
        for step in range(80):
            made.write(quote(110_000 + step, 110_004 + step) + buy(1 + step % 2, f"b{step}"))
            made.write(deposit(1, f"d{step}"))
    return tmp_path


def test_verify_a_whole_journal(journal: Path) -> None:
    code, out = invoke("verify", journal)
    assert code == 0
    assert "whole: 16" in out
    code, found = as_json("verify", journal, "--replay")
    assert code == 0
    assert found["ok"]
    assert found["snapshots_compared"] == 1
    assert found["torn_bytes"] == 0
    assert found["segments"] == len(list(journal.glob("*.tlj"))) == len(found["files"])
    assert found["input_seq"] == found["inputs"]
    assert len(found["state_hash"]) == 64


def test_verify_says_where_the_damage_is(journal: Path) -> None:
    victim = sorted(journal.glob("*.tlj"))[1]
    data = bytearray(victim.read_bytes())
    data[PAGE + 70] ^= 1
    victim.write_bytes(data)
    code, found = as_json("verify", journal)
    assert code == 1
    assert (found["segment"], found["offset"]) == (victim.name, PAGE)
    code, out = invoke("verify", journal)
    assert code == 1
    assert out.startswith(f"tradeloom: journal damaged: segment {victim.name}, byte {PAGE}")
    assert "Traceback" not in out


def test_verify_sees_what_a_snapshot_proves(journal: Path) -> None:
    last = max(journal.glob("*.tlj"))
    last.write_bytes(last.read_bytes()[: PAGE + 10].ljust(16 << 10, b"\0"))
    code, found = as_json("verify", journal)
    assert code == 1
    assert "snapshot" in found["reason"]


def test_a_torn_record_is_reported_and_left_alone(journal: Path) -> None:
    for path in journal.glob("*.tls"):
        path.unlink()
    last = max(journal.glob("*.tlj"))
    data = bytearray(last.read_bytes())
    used = len(bytes(data).rstrip(b"\0"))
    data[used - 20 : used] = bytes(20)
    last.write_bytes(data)
    code, out = invoke("verify", journal)
    assert code == 0
    assert "the last record is not finished" in out
    assert as_json("verify", journal)[1]["torn_bytes"] > 0
    assert last.read_bytes() == data


def test_a_later_version_and_nothing_at_all(journal: Path, tmp_path: Path) -> None:
    first = min(journal.glob("*.tlj"))
    data = first.read_bytes()
    first.write_bytes(replace(parse_page(data[:PAGE]), wire=999).page() + data[PAGE:])
    for action in ("verify", "stat", "show"):
        wanted = 0 if action == "stat" else 3
        assert invoke(action, journal)[0] == wanted, action
        assert invoke(action, tmp_path / "nothing")[0] == 4
    assert "journal too new" in invoke("verify", journal)[1]


def test_show_decodes_what_was_written(journal: Path) -> None:
    code, out = invoke("show", journal, "--from", 20, "--limit", 2)
    assert code == 0
    assert out.count("record ") == 2
    assert "PlaceOrder" in out
    assert "Quote" in out
    code, out = invoke("show", journal, "--limit", 500, "--json")
    rows = [json.loads(line) for line in out.splitlines()]
    assert [row["record"] for row in rows] == list(range(1, len(rows) + 1))
    inputs = [each for row in rows for each in row["inputs"]]
    orders = [each for each in inputs if each["kind"] == "PlaceOrder"]
    assert [each["id"] for each in orders] == [f"b{step}" for step in range(80)]
    assert {each["account"] for each in orders} == {1, 2}
    symbols = [each["body"]["symbol"] for each in inputs if each["kind"] == "DefineInstrument"]
    assert symbols == ["EURUSD"]
    assert invoke("show", journal, "--from", 10_000) == (0, "")


def test_stat(journal: Path) -> None:
    code, found = as_json("stat", journal)
    assert code == 0
    assert (found["shard"], found["first_record"]) == (3, 1)
    assert found["last_record"] == as_json("verify", journal)[1]["records"]
    assert found["bytes"] == sum(path.stat().st_size for path in journal.glob("*.tlj"))
    code, out = invoke("stat", journal)
    assert code == 0
    assert "last record" in out


def test_it_is_a_part_of_the_tradeloom_command(journal: Path) -> None:
    code = "from tradeloom.cli import main; main()"
    command = [sys.executable, "-c", code, "journal"]
    done = subprocess.run(
        [*command, "verify", str(journal)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "whole:" in done.stdout
    done = subprocess.run([*command, "show", "--help"], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "Example: tradeloom journal show" in done.stdout
