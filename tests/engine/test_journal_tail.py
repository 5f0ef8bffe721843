"""Every cut, every flipped byte, random crash images: recovered as a torn tail, or refused."""

from __future__ import annotations

import logging
import random
import shutil
from pathlib import Path

import pytest

from tests.engine.disks import CrashDisk, FastDisk
from tradeloom.engine.journal import (
    FileJournal,
    JournalDamaged,
    JournalUnavailable,
    JournalWriteFailed,
)
from tradeloom.engine.journal.format import PAGE, padded
from tradeloom.engine.journal.survey import survey

SEGMENT = 8 << 10


def make(directory: Path) -> tuple[list[Path], list[bytes], list[tuple[int, int]]]:
    """Three segments; all payloads; where each record of the last segment starts and ends."""
    chance = random.Random(5)
    journal = FileJournal.open(directory, segment_bytes=SEGMENT, disk=FastDisk())
    payloads: list[bytes] = []
    spans: list[tuple[int, int]] = []
    before = ""
    while len(list(directory.glob("*.tlj"))) < 3 or journal.end < PAGE + 1500:
        payload = chance.randbytes(chance.randrange(1, 500))
        journal.reserve(len(payload))
        if journal.last_segment != before:
            spans, before = [], journal.last_segment
        spans.append((journal.end, journal.end + padded(len(payload))))
        journal.append(payload, len(payloads) + 1, 1, 1)
        payloads.append(payload)
    journal.close()
    assert len(spans) > 3
    return sorted(directory.glob("*.tlj")), payloads, spans


def recovered(directory: Path) -> list[bytes]:
    journal = FileJournal.open(directory, disk=FastDisk())
    reader = journal.reader()
    try:
        return [bytes(record.payload) for record in reader.records(journal.durable)]
    finally:
        reader.close()
        journal.close()


@pytest.mark.parametrize("how", ["shortened", "zeroed"])
def test_a_cut_at_every_byte_of_the_last_segment(
    tmp_path: Path, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    paths, payloads, spans = make(tmp_path)
    last, whole = paths[-1], paths[-1].read_bytes()
    earlier = len(payloads) - len(spans)
    for cut in range(PAGE, spans[-1][1] + 65):
        left = whole[:cut]
        last.write_bytes(left if how == "shortened" else left.ljust(SEGMENT, b"\0"))
        caplog.clear()
        with caplog.at_level(logging.WARNING):
            found = recovered(tmp_path)
        # A record whose last bytes are zeros is whole without them, when zeros follow.
        least = earlier + sum(end <= cut for _, end in spans)
        most = earlier + sum(end - 64 < cut for _, end in spans)
        assert least <= len(found) <= (most if how == "zeroed" else least)
        assert found == payloads[: len(found)]
        torn = any(start < cut < end for start, end in spans) and len(found) == least
        if torn and whole[next(s for s, e in spans if s < cut < e) : cut].strip(b"\0"):
            assert f"segment {last.name}: torn record {len(found) + 1} cut" in caplog.text
        assert last.stat().st_size == SEGMENT
        assert recovered(tmp_path) == found


def test_a_cut_header_page_is_damage(tmp_path: Path) -> None:
    paths, _, _ = make(tmp_path)
    whole = paths[-1].read_bytes()
    for cut in range(0, PAGE, 37):
        paths[-1].write_bytes(whole[:cut])
        with pytest.raises(JournalDamaged) as damage:
            recovered(tmp_path)
        assert (damage.value.segment, damage.value.offset) == (paths[-1].name, cut)


def test_every_flipped_byte_of_the_last_segment(tmp_path: Path) -> None:
    paths, payloads, spans = make(tmp_path)
    last, whole = paths[-1], paths[-1].read_bytes()
    chance = random.Random(2)
    used = spans[-1][1]
    for at in [*range(0, PAGE, 29), *range(PAGE - 8, used), *range(used, SEGMENT, 13)]:
        flipped = bytearray(whole)
        flipped[at] ^= 1 << chance.randrange(8)
        last.write_bytes(flipped)
        hit = next((start for start, end in spans if start <= at < end), None)
        if at >= PAGE and (hit is None or hit == spans[-1][0]):
            gone = hit is not None
            assert recovered(tmp_path) == payloads[: len(payloads) - gone], at
            continue
        with pytest.raises(JournalDamaged) as damage:
            recovered(tmp_path)
        assert damage.value.segment == last.name
        assert damage.value.offset == (hit if hit is not None else 0)
        assert last.read_bytes() == flipped, "a damaged journal is never touched"


def test_every_flipped_byte_of_an_earlier_segment(tmp_path: Path) -> None:
    paths, _, _ = make(tmp_path)
    victim, whole = paths[1], paths[1].read_bytes()
    chance = random.Random(3)
    used = len(whole.rstrip(b"\0"))
    for at in [*range(0, PAGE, 29), *range(PAGE - 8, used), *range(used, SEGMENT, 13)]:
        flipped = bytearray(whole)
        flipped[at] ^= 1 << chance.randrange(8)
        victim.write_bytes(flipped)
        with pytest.raises(JournalDamaged) as damage:
            recovered(tmp_path) if at % 16 == 0 else list(survey(tmp_path))
        assert damage.value.segment == victim.name
        assert damage.value.offset <= at
        assert victim.read_bytes() == flipped


def test_a_lost_sector_in_the_middle_is_damage(tmp_path: Path) -> None:
    paths, _, spans = make(tmp_path)
    whole = bytearray(paths[-1].read_bytes())
    whole[PAGE : PAGE + 512] = bytes(512)
    paths[-1].write_bytes(whole)
    with pytest.raises(JournalDamaged, match="a whole record stands behind it") as damage:
        recovered(tmp_path)
    assert damage.value.offset == PAGE
    assert spans[1][0] > PAGE


def test_a_torn_record_cannot_pretend_to_hold_a_later_one(tmp_path: Path) -> None:
    """The contents of a command are a client's choice; they must not turn a torn tail to damage."""
    paths, payloads, spans = make(tmp_path)
    start, _ = spans[-1]
    bait = paths[-1].read_bytes()[spans[-2][0] : spans[-2][1]]
    fake = bytearray(bait)
    fake[8:16] = (len(payloads) + 5).to_bytes(8, "little")
    journal = FileJournal.open(tmp_path, disk=FastDisk())
    evil = bytes(fake) * 2
    journal.reserve(len(evil))
    begin = journal.end
    journal.append(evil, journal.durable + 1, 1, 1)
    journal.close()
    whole = bytearray(paths[-1].read_bytes())
    whole[begin : begin + 64] = bytes(64)
    paths[-1].write_bytes(whole)
    assert recovered(tmp_path) == payloads
    assert start < begin


def test_random_power_cuts_lose_nothing_acknowledged(tmp_path: Path) -> None:
    chance = random.Random(11)
    torn = extra = 0
    for run in range(250):
        directory = tmp_path / str(run)
        disk = CrashDisk(chance.randrange(20, 220))
        acknowledged: list[bytes] = []
        attempted: list[bytes] = []
        try:
            journal = FileJournal.open(directory, segment_bytes=SEGMENT, disk=disk)
            while True:
                payload = chance.randbytes(chance.choice([40, 300, 1500, 3000]))
                journal.reserve(len(payload))
                attempted = [*acknowledged, payload]
                journal.append(payload, journal.durable + 1, 1, 1)
                acknowledged.append(payload)
        except (JournalUnavailable, JournalWriteFailed):
            assert disk.dead
        disk.image(chance)
        found = recovered(directory)
        assert found in (acknowledged, attempted), run
        torn += len(found) < len(attempted)
        extra += len(found) > len(acknowledged)
        shutil.rmtree(directory)
    assert torn > 20, "the cuts hit nothing"
    assert extra > 5, "every unsynced record was lost: the images are too simple"
