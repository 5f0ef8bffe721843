"""A disk that fails: clear errors before a batch is accepted, the end of the process after."""

from __future__ import annotations

import asyncio
import errno
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import NoReturn

import pytest

from benchmarks.load import deposit, opening
from benchmarks.plain_journal import inputs, payloads
from tests.engine.disks import FaultyDisk, ShortDisk
from tests.engine.said import Said, said
from tradeloom.engine import journal as journals
from tradeloom.engine.exits import EXIT_JOURNAL_FAILED
from tradeloom.engine.journal import (
    Disk,
    FileJournal,
    JournalDamaged,
    JournalUnavailable,
    JournalWriteFailed,
    prepare,
)
from tradeloom.engine.local import LocalShard, Storage, open_local
from tradeloom.engine.shard import Shard

SEGMENT = 16 << 10
UNAVAILABLE = 1014


class Ended(Exception):  # noqa: N818
    """Stands for the end of the process."""


def end(error: BaseException) -> NoReturn:
    raise Ended from error


def small(disk: Disk | None = None, *, snapshots: bool = False) -> Storage:
    return Storage(snapshots=snapshots, segment_bytes=SEGMENT, disk=disk)


@pytest.mark.parametrize("call", ["create", "allocate", "pwritev", "fdatasync", "rename"])
@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC, errno.EROFS])
def test_a_journal_that_cannot_be_made_says_why(tmp_path: Path, call: str, number: int) -> None:
    with pytest.raises(JournalUnavailable) as refused:
        FileJournal.open(tmp_path / "j", segment_bytes=SEGMENT, disk=FaultyDisk(call, 1, number))
    assert os.strerror(number) in str(refused.value)
    assert str(tmp_path / "j") in str(refused.value)
    journal = FileJournal.open(tmp_path / "j", segment_bytes=SEGMENT)
    assert journal.durable == 0
    journal.close()


@pytest.mark.parametrize("call", ["create", "allocate", "pwritev", "fdatasync", "rename"])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EIO])
def test_no_room_for_the_next_segment_refuses_and_recovers(
    tmp_path: Path, call: str, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prepare, "PREPARE_RETRY_S", 0.0)
    disk = FaultyDisk()
    with LocalShard(open_local(tmp_path, storage=small(disk))) as made:
        made.write(opening(2))
        accepted = 0
        journal = made._opened.journal
        # Half a segment: from here on the next one is wanted, but the current one still has room.
        while journal.end < SEGMENT // 2 - 500:
            made.write(deposit(1, f"a{accepted}"))
            accepted += 1
        # The segment in use is written and synced too: fail only what comes from preparing.
        if call in ("pwritev", "fdatasync"):
            disk = poison_preparing(disk, call, number, monkeypatch)
        else:
            disk.arm(call, 1, number)
        with pytest.raises(JournalUnavailable, match=os.strerror(number)):
            fill(made, "b")
        before = made.core.state_hash()
        durable = journal.durable
        for _ in range(3):
            with pytest.raises(JournalUnavailable):
                made.write(deposit(1, "refused"))
        assert (made.core.state_hash(), journal.durable) == (before, durable)
        disk.arm("", 0, 0)
        monkeypatch.undo()
        monkeypatch.setattr(prepare, "PREPARE_RETRY_S", 0.0)
        for step in range(200):
            made.write(deposit(1, f"c{step}"))
        after = made.core.state_hash()
    opened = open_local(tmp_path, storage=small())
    assert opened.core.state_hash() == after
    opened.close()


def fill(made: LocalShard, name: str, more: bytes = b"") -> None:
    """Write until it fails."""
    for step in range(500):
        made.write(deposit(1, f"{name}{step}") + more)


def poison_preparing(
    disk: FaultyDisk, call: str, number: int, monkeypatch: pytest.MonkeyPatch
) -> FaultyDisk:
    """Let only the making of new segments fail."""
    make = prepare.make_zeroed

    def failing(_: Disk, path: Path, size: int) -> int:
        return make(FaultyDisk(call, 1, number), path, size)

    monkeypatch.setattr(prepare, "make_zeroed", failing)
    return disk


async def test_callers_of_a_full_disk_get_a_code_and_go_on_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(prepare, "PREPARE_RETRY_S", 0.0)
    disk = FaultyDisk()
    async with await Shard.open(tmp_path, storage=small(disk), clock_every_s=0) as made:
        await made.submit(opening(2))
        disk.arm("allocate", 1, errno.ENOSPC)
        answers = await made.execute_many([deposit(1, f"x{n}") * 3 for n in range(40)])
        answers += await asyncio.gather(*(made.submit(deposit(1, f"y{n}") * 3) for n in range(200)))
        for n in range(60):
            answers.append(await made.submit(deposit(1, f"z{n}") * 3))
        refused = [a for a in answers if said(a)[0].code == UNAVAILABLE]
        assert refused
        assert {said(a)[2] for a in refused} == {Said(2, UNAVAILABLE, 0, 1)}
        assert "No space left" in caplog.text
        before = made.read(lambda core: core.state_hash())
        assert [row.code for row in said(await made.submit(deposit(1) * 9))] == [UNAVAILABLE] * 9
        assert made.read(lambda core: core.state_hash()) == before
        disk.arm("", 0, 0)
        assert said(await made.submit(deposit(1, "again"))) == [Said(0, 0, 0, 0)]
        assert "the journal is available again" in caplog.text


@pytest.mark.parametrize("call", ["pwritev", "fdatasync"])
@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC, errno.EROFS])
def test_a_failed_write_of_accepted_data_is_the_end(tmp_path: Path, call: str, number: int) -> None:
    disk = FaultyDisk()
    made = LocalShard(open_local(tmp_path, storage=small(disk)), on_fatal=end)
    made.write(opening(1))
    for step in range(5):
        made.write(deposit(1, f"a{step}"))
    before = made.core.state_hash()
    disk.arm(call, 1, number)
    with pytest.raises(Ended) as ended:
        made.write(deposit(1, "lost"))
    assert isinstance(ended.value.__cause__, JournalWriteFailed)
    assert os.strerror(number) in str(ended.value.__cause__)
    assert made.core.state_hash() == before, "what is not durable is not applied"
    disk.arm("", 0, 0)
    with pytest.raises(RuntimeError, match="the process should have ended"):
        made.write(deposit(1, "again"))
    assert disk.calls.get("fdatasync", 0) == 0, "a sync is never tried again"
    made._opened.journal.close()
    opened = open_local(tmp_path, storage=small())
    possible = opened.core.state_hash()
    assert (possible == before) == (call == "pwritev")
    opened.close()


def test_a_failed_sync_of_the_directory_is_the_end(tmp_path: Path) -> None:
    disk = FaultyDisk()
    made = LocalShard(open_local(tmp_path, storage=small(disk)), on_fatal=end)
    made.write(opening(1))
    disk.arm("sync_directory", 1, errno.EIO)
    with pytest.raises(Ended):
        fill(made, "a")
    made._opened.journal.close()


@pytest.mark.parametrize("most", [1, 63, 100, 4095])
def test_short_writes_are_finished(tmp_path: Path, most: int) -> None:
    with LocalShard(open_local(tmp_path, storage=small(ShortDisk(most)))) as made:
        made.write(opening(2))
        for step in range(60):
            made.write(deposit(1, f"a{step}"))
        before = made.core.state_hash()
    opened = open_local(tmp_path, storage=small())
    assert opened.core.state_hash() == before
    opened.close()


def test_a_disk_that_writes_nothing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(JournalUnavailable, match="wrote nothing"):
        FileJournal.open(tmp_path, segment_bytes=SEGMENT, disk=ShortDisk(0))


def test_an_unreadable_segment_is_not_taken_for_an_empty_one(tmp_path: Path) -> None:
    journal = FileJournal.open(tmp_path, segment_bytes=SEGMENT)
    journal.reserve(64)
    journal.append(bytes(range(64)), 1, 1, 1)
    journal.close()
    with pytest.raises(JournalUnavailable):
        FileJournal.open(tmp_path, disk=FaultyDisk("open", 1, errno.EACCES))
    next(tmp_path.glob("*.tlj")).write_bytes(b"")
    with pytest.raises(JournalDamaged, match="header page is cut off"):
        FileJournal.open(tmp_path)


CHILD = """
import sys
from benchmarks.load import deposit, opening
from tests.engine.disks import FaultyDisk
from tradeloom.engine.local import LocalShard, Storage, open_local

disk = FaultyDisk()
shard = LocalShard(open_local(sys.argv[1], storage=Storage(snapshots=False, disk=disk)))
shard.write(opening(1))
for step in range(100):
    if step == 50:
        disk.arm("fdatasync", 1, 5)
    shard.write(deposit(1, f"a{step}"))
    print(step, flush=True)
"""


def test_the_process_ends_with_the_named_code(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == EXIT_JOURNAL_FAILED
    assert done.stdout.split() == [str(step) for step in range(50)]
    assert "journal write failed" in done.stderr
    assert "Input/output error" in done.stderr


MANY = """
import asyncio, os, sys
from benchmarks.load import deposit, opening
from tests.engine.disks import FaultyDisk
from tradeloom.engine.local import Storage
from tradeloom.engine.shard import Shard

disk = FaultyDisk()

async def caller(shard, number):
    for step in range(1000):
        if (number, step) == (3, 40):
            disk.arm("fdatasync", 2, 5)
        await shard.submit(deposit(1, f"{number}-{step}"))
        os.write(1, f"{number}-{step}\\n".encode())

async def main():
    shard = await Shard.open(sys.argv[1], storage=Storage(snapshots=False, disk=disk))
    await shard.submit(opening(1))
    await asyncio.gather(*(caller(shard, number) for number in range(8)))

asyncio.run(main())
"""


def test_a_shard_with_many_callers_ends_too(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", MANY, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == EXIT_JOURNAL_FAILED, done.stderr
    acknowledged = done.stdout.split()
    assert 40 <= len(acknowledged) < 8 * 1000
    ids = [name for payload in payloads(tmp_path) for _, _, name, _ in inputs(payload)]
    assert all(ids.count(name) == 1 for name in acknowledged)
    opened = open_local(tmp_path, storage=Storage(snapshots=False))
    assert opened.core.input_seq >= len(acknowledged)
    opened.close()


LIMITED = """
import resource, signal, sys
from benchmarks.load import deposit, opening
from tradeloom.engine.journal import JournalUnavailable
from tradeloom.engine.local import LocalShard, Storage, open_local

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
try:
    open_local(sys.argv[1], storage=Storage(snapshots=False, segment_bytes=1 << 20))
except JournalUnavailable as error:
    print(error)
    sys.exit(9)
"""


def test_a_real_file_size_limit_is_a_clear_error(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(tmp_path / "j"), str(300_000)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 9, done.stderr
    assert "File too large" in done.stdout
    assert list((tmp_path / "j").glob("*.tlj")) == []
    assert resource.RLIMIT_FSIZE is not None
    assert signal.SIGXFSZ is not None


@pytest.fixture
def small_disk(tmp_path: Path) -> Path:
    """A real file system of one megabyte, where this user may mount one."""
    where = tmp_path / "disk"
    where.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(where)],
        capture_output=True,
        check=False,
    )
    if made.returncode:
        pytest.skip("this user may not mount a file system")
    return where


def test_a_real_full_disk(small_disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prepare, "PREPARE_RETRY_S", 0.0)
    storage = Storage(snapshots=False, segment_bytes=256 << 10)
    try:
        made = LocalShard(open_local(small_disk, storage=storage))
        made.write(opening(1))
        with pytest.raises(JournalUnavailable, match="No space left"):
            fill(made, "a", deposit(1) * 400)
        assert made._opened.journal.durable > 10
        before = made.core.state_hash()
        made.close()
        opened = open_local(small_disk, storage=storage)
        assert opened.core.state_hash() == before
        opened.close()
        subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
        with pytest.raises(JournalUnavailable, match="Read-only file system"):
            open_local(small_disk, storage=storage)
    finally:
        time.sleep(0.05)
        subprocess.run(["umount", str(small_disk)], check=True)


def test_every_error_is_in_one_tree() -> None:
    names = [name for name in journals.__all__ if name.startswith("Journal") and name != "Journal"]
    tree = [getattr(journals, name) for name in names]
    assert all(issubclass(each, journals.JournalError) for each in tree)
