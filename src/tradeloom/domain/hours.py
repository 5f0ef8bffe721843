"""Trading hours as people write them ("Sun 22:00" to "Fri 22:00") and as the core counts them.

Everything is UTC. The core wants ascending `[start, end)` second ranges from Monday 00:00; a range
that wraps over the end of the week is cut in two there and joined again when read back.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Final

import msgspec

from tradeloom.domain.enums import ReturnCode
from tradeloom.domain.errors import BadDefinition

DAY_S: Final = 86_400
WEEK_S: Final = 7 * DAY_S
_WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MOMENT: Final = re.compile(
    r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun) ([0-2][0-9]):([0-5][0-9])(?::([0-5][0-9]))?"
)
_CLOCK: Final = re.compile(r"([0-2][0-9]):([0-5][0-9])(?::([0-5][0-9]))?")


class Session(msgspec.Struct, frozen=True):
    """One weekly range of trading, UTC: `Session("Sun 22:00", "Fri 22:00")`; 24:00 ends a day."""

    start: str
    end: str


class Holiday(msgspec.Struct, frozen=True):
    """A time without trading: from `start` up to `end`, both with a time zone."""

    start: datetime
    end: datetime


def week_ranges(sessions: Iterable[Session]) -> list[list[int]]:
    """Sessions as ascending seconds from Monday 00:00 UTC; raises `BadDefinition`."""
    ranges: list[list[int]] = []
    for session in sessions:
        start, end = _moment(session.start), _moment(session.end)
        if start < end:
            ranges.append([start, end])
        else:
            ranges.append([start, WEEK_S])
            if end:
                ranges.append([0, end])
    ranges.sort()
    for before, after in pairwise(ranges):
        if after[0] < before[1]:
            raise _bad("sessions", "two sessions overlap")
    return [pair for pair in ranges if pair[0] < pair[1]]


def week_sessions(ranges: Sequence[Sequence[int]]) -> tuple[Session, ...]:
    """The sessions behind the core's second ranges."""
    pairs = [(start, end) for start, end in ranges]
    if len(pairs) > 1 and pairs[0][0] == 0 and pairs[-1][1] == WEEK_S:
        pairs = [(pairs[-1][0], pairs[0][1]), *pairs[1:-1]]
    return tuple(
        Session(_show_moment(start, False), _show_moment(end, True)) for start, end in pairs
    )


def holiday_ranges(holidays: Iterable[Holiday]) -> list[list[int]]:
    """Holidays as ascending seconds since 1970; raises `BadDefinition`."""
    ranges = sorted([_epoch(holiday.start), _epoch(holiday.end)] for holiday in holidays)
    if any(start >= end for start, end in ranges):
        raise _bad("sessions", "a holiday must end after it starts")
    return ranges


def holidays_from(ranges: Sequence[Sequence[int]]) -> tuple[Holiday, ...]:
    """The holidays behind the core's second ranges."""
    return tuple(
        Holiday(datetime.fromtimestamp(start, UTC), datetime.fromtimestamp(end, UTC))
        for start, end in ranges
    )


def clock_seconds(text: str) -> int:
    """Seconds after midnight of "22:00" or "21:59:30"; raises `BadDefinition`."""
    found = _CLOCK.fullmatch(text)
    if not found:
        raise _bad("body", f"{text!r} is not a time of day such as '22:00'")
    seconds = _clock(found[1], found[2], found[3])
    if seconds >= DAY_S:
        raise _bad("body", f"{text!r} is past the end of the day")
    return seconds


def clock_text(seconds: int) -> str:
    """The time of day `seconds` after midnight."""
    hours, rest = divmod(seconds, 3600)
    minutes, left = divmod(rest, 60)
    return f"{hours:02}:{minutes:02}" + (f":{left:02}" if left else "")


def _moment(text: str) -> int:
    found = _MOMENT.fullmatch(text)
    if not found:
        raise _bad("sessions", f"{text!r} is not a moment of the week such as 'Sun 22:00'")
    seconds = _clock(found[2], found[3], found[4])
    if seconds > DAY_S:
        raise _bad("sessions", f"{text!r} is past the end of the day")
    return (_WEEKDAYS.index(found[1]) * DAY_S + seconds) % WEEK_S


def _show_moment(seconds: int, is_end: bool) -> str:
    day, rest = divmod(seconds, DAY_S)
    if is_end and rest == 0:
        return f"{_WEEKDAYS[day - 1]} 24:00"
    return f"{_WEEKDAYS[day]} {clock_text(rest)}"


def _clock(hours: str, minutes: str, seconds: str | None) -> int:
    return int(hours) * 3600 + int(minutes) * 60 + int(seconds or 0)


def _epoch(moment: datetime) -> int:
    if moment.tzinfo is None:
        raise _bad("sessions", f"the holiday {moment} has no time zone; give it UTC")
    return int(moment.timestamp())


def _bad(field: str, why: str) -> BadDefinition:
    code = ReturnCode.ERR_PARAMS
    return BadDefinition(code, field, f"{code.name} ({code.number}) in {field}: {why}")
