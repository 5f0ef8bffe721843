"""Journals that earlier versions wrote replay to the state they had then."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.golden.make import STORAGE, expectation, trading_day
from tradeloom.engine.local import LocalShard, open_local

FOLDERS = sorted(path.parent for path in Path(__file__).parent.glob("*/expected.json"))
SAME = ("state_hash", "input_seq", "event_seq", "events_sha256")


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_golden_journal_replays_to_its_state(folder: Path, tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    shutil.copytree(folder, journal)
    expected = json.loads((folder / "expected.json").read_text())
    with LocalShard(open_local(journal, storage=STORAGE)) as shard:
        found = expectation(shard)
    assert {key: found[key] for key in SAME} == {key: expected[key] for key in SAME}
    for path in folder.glob("*.tlj"):
        assert path.read_bytes() == (journal / path.name).read_bytes(), "reading changes nothing"


def test_the_day_in_a_golden_journal_is_a_full_one(tmp_path: Path) -> None:
    with LocalShard(open_local(tmp_path, storage=STORAGE)) as shard:
        trading_day(shard)
        stats = expectation(shard)
        account = shard.core.account(1)
        assert account is not None
        assert shard.core.event_seq > 1000
        assert len(list(tmp_path.glob("*.tlj"))) >= 3
        assert stats["input_seq"] == shard.core.input_seq
