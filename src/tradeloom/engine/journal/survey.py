"""Looks at a whole journal without changing it: what it holds, and whether it is as written."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from .contract import Record
from .disk import Disk
from .errors import JournalDamaged, JournalUnavailable
from .format import padded, segment_name
from .segment import Flaw, Place, Segment, list_segments
from .tail import torn_bytes


@dataclass(slots=True)
class SegmentSurvey:
    """What one segment holds. Times are ns, 0 when it has no records."""

    name: str
    shard: int
    epoch: int
    wire_version: int
    first_record: int
    records: int = 0
    inputs: int = 0
    bytes_used: int = 0
    bytes_size: int = 0
    first_ts: int = 0
    last_ts: int = 0
    # Bytes of a record that was not finished, at the end of the last segment.
    torn_bytes: int = 0


def segments(directory: Path) -> list[Path]:
    """The segment files; raises JournalUnavailable when there are none."""
    paths = list_segments(directory)
    if not paths:
        raise JournalUnavailable(directory, "no journal is there")
    return paths


def survey(
    directory: Path,
    each: Callable[[Record], None] | None = None,
    disk: Disk | None = None,
) -> Iterator[SegmentSurvey]:
    """Verify everything, segment by segment; `each` sees every record.

    Raises JournalDamaged or JournalTooNew at the first thing that is wrong.
    """
    disk, before = disk or Disk(), None
    shard: int | None = None
    paths = segments(directory)
    for path in paths:
        segment = Segment.open(disk, path, shard)
        shard = segment.header.shard
        try:
            place = segment.start()
            if before is not None:
                _check_follows(segment, place, before)
            yield _walk(segment, place, path == paths[-1], each)
        finally:
            segment.close()
        before = place


def last_segment(directory: Path, disk: Disk | None = None) -> SegmentSurvey:
    """Only the last segment, verified; quick, however long the journal is."""
    segment = Segment.open(disk or Disk(), segments(directory)[-1], None)
    try:
        return _walk(segment, segment.start(), last=True, each=None)
    finally:
        segment.close()


def _walk(
    segment: Segment, place: Place, last: bool, each: Callable[[Record], None] | None
) -> SegmentSurvey:
    head = segment.header
    found = SegmentSurvey(segment.name, head.shard, head.epoch, head.wire, head.first_record)
    found.bytes_size = segment.size
    flaw = None
    try:
        for record in segment.scan(place):
            found.records += 1
            found.inputs += record.inputs
            found.bytes_used += padded(len(record.payload))
            found.first_ts = found.first_ts or record.ts
            found.last_ts = record.ts
            if each is not None:
                each(record)
    except Flaw as error:
        flaw = error
    if last:
        found.torn_bytes = torn_bytes(segment, place, flaw)
    elif flaw is not None:
        raise segment.damaged(flaw)
    else:
        segment.check_left(place)
    return found


def _check_follows(segment: Segment, place: Place, before: Place) -> None:
    if place.number != before.number:
        missing = segment_name(before.number)
        raise JournalDamaged(missing, 0, f"segment is missing, {segment.name} is there")
    segment.check_follows(before)
    place.seq_range = before.seq_range
