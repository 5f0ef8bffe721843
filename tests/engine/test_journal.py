"""The file journal keeps what it was given, and lets nobody in who must stay out."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest

from tests.engine.disks import FastDisk
from tradeloom._core import WIRE_VERSION
from tradeloom.engine.journal import (
    FileJournal,
    JournalDamaged,
    JournalFenced,
    JournalLocked,
    JournalTooNew,
    JournalUnavailable,
)
from tradeloom.engine.journal.format import (
    FORMAT_VERSION,
    PAGE,
    SegmentHeader,
    chain_hash,
    segment_name,
)

SEGMENT = 16 << 10


def write(journal: FileJournal, payload: bytes, inputs: int = 1) -> int:
    journal.reserve(len(payload))
    return journal.append(payload, journal.durable * inputs + 1, inputs, 1)


def fill(directory: Path, count: int, *, seed: int = 1, shard: int = 0) -> list[bytes]:
    """A journal of `count` records of random size; their payloads."""
    chance = random.Random(seed)
    payloads = [chance.randbytes(chance.randrange(16, 900)) for _ in range(count)]
    journal = FileJournal.open(directory, shard, segment_bytes=SEGMENT, disk=FastDisk())
    for payload in payloads:
        write(journal, payload)
    journal.close()
    return payloads


def read(directory: Path, after: int = 0, shard: int = 0) -> list[bytes]:
    journal = FileJournal.open(directory, shard, disk=FastDisk())
    reader = journal.reader(after)
    try:
        return [bytes(record.payload) for record in reader.records(journal.durable)]
    finally:
        reader.close()
        journal.close()


def test_what_was_written_is_read_across_segments(tmp_path: Path) -> None:
    payloads = fill(tmp_path, 150)
    assert len(list(tmp_path.glob("*.tlj"))) > 3
    assert read(tmp_path) == payloads
    for after in (0, 1, 70, 149, 150):
        assert read(tmp_path, after) == payloads[after:]


def test_a_journal_goes_on_where_it_stopped(tmp_path: Path) -> None:
    written: list[bytes] = []
    for seed in range(8):
        journal = FileJournal.open(tmp_path, segment_bytes=SEGMENT, disk=FastDisk())
        assert journal.durable == len(written)
        for payload in [bytes([seed, n]) * 40 * (n + 1) for n in range(9)]:
            assert write(journal, payload, inputs=3) == len(written) + 1
            written.append(payload)
        journal.close()
    assert read(tmp_path) == written


def test_a_reader_follows_the_writer(tmp_path: Path) -> None:
    journal = FileJournal.open(tmp_path, segment_bytes=SEGMENT, disk=FastDisk())
    reader = journal.reader()
    seen = []
    for n in range(120):
        write(journal, bytes([n]) * 300)
        if n % 7 == 0:
            seen += [bytes(record.payload) for record in reader.records(journal.durable)]
            assert reader.number == journal.durable + 1
    assert seen == [bytes([n]) * 300 for n in range(120)][: len(seen)]
    assert len(seen) == 120
    journal.settle()
    reader.close()
    journal.close()


def test_only_one_process_may_open_it(tmp_path: Path) -> None:
    journal = FileJournal.open(tmp_path, segment_bytes=SEGMENT)
    code = (
        "import sys; from tradeloom.engine.journal import FileJournal, JournalLocked\n"
        "try: FileJournal.open(sys.argv[1])\n"
        "except JournalLocked as error: print(error); sys.exit(3)"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    held = subprocess.run(command, capture_output=True, text=True, check=False)
    assert held.returncode == 3, held.stderr
    assert str(tmp_path) in held.stdout
    with pytest.raises(JournalLocked):
        FileJournal.open(tmp_path)
    journal.close()
    assert subprocess.run(command, check=False).returncode == 0


@pytest.mark.parametrize("field", ["format", "wire"])
def test_a_later_version_is_refused_by_name(tmp_path: Path, field: str) -> None:
    later = {"format": FORMAT_VERSION + 1, "wire": WIRE_VERSION + 1}[field]
    versions = {"format": FORMAT_VERSION, "wire": WIRE_VERSION, field: later}
    header = SegmentHeader(0, 1, 1, SEGMENT, bytes(16), bytes(8), **versions)
    path = tmp_path / segment_name(1)
    whole = header.page().ljust(SEGMENT, b"\0")
    path.write_bytes(whole)
    with pytest.raises(JournalTooNew) as refused:
        FileJournal.open(tmp_path)
    assert (refused.value.file, refused.value.found) == (path.name, later)
    assert path.read_bytes() == whole


def test_two_shards_do_not_mix(tmp_path: Path) -> None:
    mine, other = tmp_path / "0", tmp_path / "1"
    first, second = fill(mine, 20, seed=1), fill(other, 20, seed=2, shard=1)
    assert read(mine) == first
    assert read(other, shard=1) == second
    with pytest.raises(JournalDamaged, match="belongs to shard 1, not to 0"):
        FileJournal.open(other)


def test_an_old_leader_is_fenced(tmp_path: Path) -> None:
    journal = FileJournal.open(tmp_path, epoch=7, segment_bytes=SEGMENT)
    write(journal, b"a" * 64)
    journal.close()
    with pytest.raises(JournalFenced) as fenced:
        FileJournal.open(tmp_path, epoch=6)
    assert (fenced.value.ours, fenced.value.found) == (6, 7)
    journal = FileJournal.open(tmp_path)
    assert journal.epoch == 7
    journal.close()
    journal = FileJournal.open(tmp_path, epoch=9)
    write(journal, b"b" * 64)
    journal.close()
    assert read(tmp_path) == [b"a" * 64, b"b" * 64]


def test_a_missing_segment_is_named(tmp_path: Path) -> None:
    fill(tmp_path, 150)
    paths = sorted(tmp_path.glob("*.tlj"))
    paths[2].unlink()
    with pytest.raises(JournalDamaged, match="missing") as damage:
        read(tmp_path)
    assert damage.value.segment == paths[2].name
    assert read(tmp_path, int(paths[3].stem) - 1)
    paths[0].unlink()
    with pytest.raises(JournalDamaged, match="records from 1 on are missing") as damage:
        read(tmp_path)
    assert damage.value.segment == paths[1].name


def test_a_segment_of_another_journal_is_refused(tmp_path: Path) -> None:
    fill(tmp_path / "a", 150, seed=1)
    fill(tmp_path / "b", 150, seed=1)
    ours = sorted((tmp_path / "a").glob("*.tlj"))[1]
    theirs = tmp_path / "b" / ours.name
    # The same payloads; the random bytes of the page make it a different history all the same.
    ours.write_bytes(theirs.read_bytes())
    with pytest.raises(JournalDamaged, match="hash chain is broken") as damage:
        read(tmp_path / "a")
    assert (damage.value.segment, damage.value.offset) == (ours.name, 0)


def test_stray_files_are_refused_or_left_alone(tmp_path: Path) -> None:
    payloads = fill(tmp_path, 10)
    (tmp_path / "notes.txt").write_text("mine")
    assert read(tmp_path) == payloads
    (tmp_path / "copy of 1.tlj").write_bytes(b"")
    with pytest.raises(JournalDamaged, match="not the name of a segment"):
        FileJournal.open(tmp_path)


def test_a_payload_must_fit(tmp_path: Path) -> None:
    journal = FileJournal.open(tmp_path, segment_bytes=SEGMENT)
    for size in (0, SEGMENT, 1 << 30):
        with pytest.raises(JournalUnavailable, match="a record cannot have"):
            journal.reserve(size)
    largest = SEGMENT - PAGE - 64
    write(journal, bytes([1]) * largest)
    write(journal, bytes([2]) * largest)
    journal.close()
    assert [payload[:1] for payload in read(tmp_path)] == [b"\1", b"\2"]


def test_the_chain_is_what_the_format_page_says(tmp_path: Path) -> None:
    fill(tmp_path, 3)
    data = next(tmp_path.glob("*.tlj")).read_bytes()
    previous, at = bytes(16), PAGE
    for number in range(1, 4):
        length = int.from_bytes(data[at : at + 4], "little")
        assert int.from_bytes(data[at + 8 : at + 16], "little") == number
        assert data[at + 48 : at + 64] == previous
        previous = chain_hash([data[at : at + 64 + length]])
        at += -(-(64 + length) // 64) * 64
    assert not any(data[at:])
