"""Coming back: snapshots, tails, damaged snapshots, cleared history, and what must be refused."""

from __future__ import annotations

import contextlib
import logging
import random
import shutil
import time
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.load import buy, close_all, deposit, opening, quote
from tests.engine.disks import CrashDisk
from tradeloom._core import Core
from tradeloom.engine.follower import Follower
from tradeloom.engine.frames import CLOCK
from tradeloom.engine.journal import FileJournal, JournalDamaged, JournalTooNew, JournalUnavailable
from tradeloom.engine.local import LocalShard, Storage, open_local
from tradeloom.engine.recovery import ReplayDiverged, apply_chunk, chunks
from tradeloom.engine.snapshots import SnapshotStore

SMALL = Storage(snapshots=False, segment_bytes=16 << 10)


def trade(directory: Path, steps: int, storage: Storage = SMALL, name: str = "t") -> bytes:
    """A shard that trades `steps` batches; its state hash."""
    with LocalShard(open_local(directory, storage=storage)) as made:
        if not made.core.input_seq:
            made.write(opening(5))
        for step in range(steps):
            bid = 110_000 + step * 37 % 500
            account = 1 + step % 5
            made.write(quote(bid, bid + 3) + buy(account, f"{name}{step}") + deposit(account))
            if step % 3 == 0:
                made.write(close_all(1 + step % 4) + CLOCK)
        return made.core.state_hash()


def snapshot(directory: Path) -> Path:
    """A snapshot of the whole journal."""
    opened = open_local(directory, storage=SMALL)
    reader = opened.journal.reader()
    for _ in reader.records(opened.journal.durable):
        pass
    path = SnapshotStore(directory).save(opened.core, opened.journal.durable, reader.hash)
    reader.close()
    opened.close()
    return path


def test_snapshot_and_tail_give_the_same_state_as_everything(tmp_path: Path) -> None:
    trade(tmp_path, 40, name="a")
    snapshot(tmp_path)
    before = trade(tmp_path, 60, name="b")
    opened = open_local(tmp_path, storage=SMALL)
    assert opened.core.state_hash() == before
    assert 0 < opened.recovered.snapshot_record < opened.recovered.record
    opened.close()
    for path in tmp_path.glob("*.tls"):
        path.unlink()
    seen: list[tuple[int, int]] = []
    opened = open_local(tmp_path, storage=SMALL, progress=lambda *done: seen.append(done))
    assert opened.recovered.snapshot_record == 0
    assert opened.core.state_hash() == before
    assert seen[-1] == (opened.journal.durable, opened.journal.durable)
    opened.close()


def test_a_damaged_snapshot_gives_way_to_the_one_before(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    trade(tmp_path, 20, name="a")
    older = snapshot(tmp_path)
    trade(tmp_path, 20, name="b")
    newer = snapshot(tmp_path)
    before = trade(tmp_path, 20, name="c")
    whole = newer.read_bytes()
    chance = list(range(0, 256, 5)) + list(range(256, len(whole), max(1, len(whole) // 60)))
    for at in chance:
        flipped = bytearray(whole)
        flipped[at] ^= 4
        newer.write_bytes(flipped)
        caplog.clear()
        opened = open_local(tmp_path, storage=SMALL)
        assert opened.recovered.snapshot_record == int(older.stem), at
        assert opened.core.state_hash() == before
        assert newer.name in caplog.text
        opened.close()
    for cut in (0, 100, 256, len(whole) - 1):
        newer.write_bytes(whole[:cut])
        older.write_bytes(b"")
        opened = open_local(tmp_path, storage=SMALL)
        assert opened.recovered.snapshot_record == 0
        assert opened.core.state_hash() == before
        opened.close()


def test_a_snapshot_of_a_later_version_is_refused(tmp_path: Path) -> None:
    trade(tmp_path, 5)
    path = snapshot(tmp_path)
    store = SnapshotStore(tmp_path)
    header = store.header(path)
    payload = path.read_bytes()[256:]
    for later in (replace(header, format=header.format + 1), replace(header, wire=header.wire + 1)):
        path.write_bytes(later.page() + payload)
        with pytest.raises(JournalTooNew) as refused:
            open_local(tmp_path, storage=SMALL)
        assert refused.value.file == path.name


def test_a_snapshot_beyond_the_end_proves_a_loss(tmp_path: Path) -> None:
    """The one damage that looks like a torn tail: an acknowledged last record."""
    trade(tmp_path, 10)
    snapshot(tmp_path)
    journal = FileJournal.open(tmp_path)
    last, end = tmp_path / journal.last_segment, journal.end
    journal.close()
    damaged = bytearray(last.read_bytes())
    damaged[end - 100] ^= 1
    last.write_bytes(damaged)
    with pytest.raises(JournalDamaged, match="has seen record") as damage:
        open_local(tmp_path, storage=SMALL)
    assert damage.value.segment == last.name


def test_a_snapshot_of_another_history_is_refused(tmp_path: Path) -> None:
    trade(tmp_path / "a", 10)
    trade(tmp_path / "b", 10)
    foreign = snapshot(tmp_path / "b")
    (tmp_path / "a" / foreign.name).write_bytes(foreign.read_bytes())
    with pytest.raises(JournalDamaged, match="not the one the snapshot was made behind"):
        open_local(tmp_path / "a", storage=SMALL)


def test_snapshots_are_taken_beside_the_work_and_few_are_kept(tmp_path: Path) -> None:
    storage = Storage(snapshot_every_s=0.05, segment_bytes=16 << 10)
    with LocalShard(open_local(tmp_path, storage=storage)) as made:
        made.write(opening(5))
        end = time.monotonic() + 20
        names: set[str] = set()
        while len(names) < 5 and time.monotonic() < end:
            made.write(deposit(1))
            names |= {path.name for path in tmp_path.glob("*.tls")}
        assert len(names) >= 5
        before = made.core.state_hash()
    assert len(list(tmp_path.glob("*.tls"))) == 3
    assert not list(tmp_path.glob("*.new"))
    opened = open_local(tmp_path, storage=storage)
    assert opened.core.state_hash() == before
    assert opened.recovered.inputs == 0
    opened.close()


def test_history_is_cleared_only_on_request(tmp_path: Path) -> None:
    trade(tmp_path, 120, name="a")
    for step in range(3):
        trade(tmp_path, 60, name=f"b{step}")
        snapshot(tmp_path)
    kept = len(list(tmp_path.glob("*.tlj")))
    storage = Storage(retain="snapshots", segment_bytes=16 << 10)
    with LocalShard(open_local(tmp_path, storage=storage)) as made:
        made.write(deposit(1))
        before = made.core.state_hash()
    left = sorted(int(path.stem) for path in tmp_path.glob("*.tlj"))
    oldest = int(min(tmp_path.glob("*.tls")).stem)
    assert 1 < len(left) < kept
    assert 1 < left[0] <= oldest + 1, "what the oldest snapshot needs is kept"
    assert left[1] > oldest + 1, "and nothing else"
    opened = open_local(tmp_path, storage=SMALL)
    assert opened.core.state_hash() == before
    opened.close()
    for path in tmp_path.glob("*.tls"):
        path.unlink()
    with pytest.raises(JournalDamaged, match="records from 1 on are missing"):
        open_local(tmp_path, storage=SMALL)


def test_a_snapshot_that_cannot_be_written_is_tried_again_later(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    trade(tmp_path, 5)
    opened = open_local(tmp_path, storage=SMALL)
    store = SnapshotStore(tmp_path)
    store._directory = tmp_path / "not-there"
    follower = Follower(
        Core.restore(opened.core.snapshot()), opened.journal.durable, opened.journal, store
    )
    with caplog.at_level(logging.WARNING):
        assert follower.finish(opened.core.state_hash())
    assert "no snapshot behind record" in caplog.text
    opened.close()


def test_a_crash_while_a_snapshot_is_written_leaves_a_valid_one(tmp_path: Path) -> None:
    trade(tmp_path, 10, name="a")
    snapshot(tmp_path)
    before = trade(tmp_path, 10, name="b")
    chance = random.Random(4)
    outcomes = set()
    for crash_at in [1, 2, 3, 4, 5] * 6:
        directory = tmp_path / "crashed"
        shutil.copytree(tmp_path, directory, ignore=shutil.ignore_patterns("crashed", "lock"))
        opened = open_local(directory, storage=SMALL)
        reader = opened.journal.reader(opened.journal.durable)
        reader.seek()
        disk = CrashDisk(crash_at)
        store = SnapshotStore(directory, disk=disk)
        with contextlib.suppress(JournalUnavailable):
            store.save(opened.core, opened.journal.durable, reader.hash)
        disk.image(chance)
        reader.close()
        opened.close()
        opened = open_local(directory, storage=SMALL)
        outcomes.add(opened.recovered.inputs == 0)
        assert opened.core.state_hash() == before
        opened.close()
        shutil.rmtree(directory)
    assert outcomes == {True, False}, "some crashes came before the rename, some after"


def test_inputs_the_core_counts_differently_are_refused(tmp_path: Path) -> None:
    trade(tmp_path, 5)
    opened = open_local(tmp_path, storage=SMALL)
    reader = opened.journal.reader()
    pieces = list(chunks(reader, opened.journal.durable, size=1))
    reader.close()
    core = Core()
    for piece in pieces[:3]:
        apply_chunk(core, piece)
    before = core.state_hash()
    with pytest.raises(ReplayDiverged, match="before record 5: the journal goes on with input"):
        apply_chunk(core, pieces[4])
    assert core.state_hash() == before
    opened.close()


def test_history_can_be_read_again_as_events(tmp_path: Path) -> None:
    trade(tmp_path, 10)
    with LocalShard(open_local(tmp_path, storage=SMALL)) as made:
        events = b"".join(made.history())
        assert events.count(b"t9") >= 1
        assert made.core.event_seq > 10
