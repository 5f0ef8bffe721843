"""Lean tick files: `forex|cfd/<broker>/tick/<symbol>/<yyyymmdd>_quote.zip`, lines `ms, bid, ask`.

`ms` counts from midnight of the file's date, with decimals in some files. OANDA files are in UTC;
FXCM files are in Eastern Standard Time all year, so their UTC time is five hours later (found by
the lag at which both brokers' prices agree). Equity files hold one-sided book updates of single
exchanges, which are not quotes, and are refused as such.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from tradeloom.marketdata.recordings.decimals import BadLineError, parse_columns, rescale
from tradeloom.marketdata.recordings.errors import NotQuotesError, RecordingError
from tradeloom.marketdata.recordings.files import read_blocks
from tradeloom.marketdata.recordings.formats import RawRows

_HOUR_NS: Final = 3_600_000_000_000
# Nanoseconds have six decimals when written in milliseconds.
_MS_PLACES: Final = 6
# Broker folder -> hours that its clock is behind UTC.
_BEHIND_UTC_HOURS: Final = {"fxcm": 5, "oanda": 0}
_FILE: Final = re.compile(
    r"(?P<market>[a-z]+)/(?P<broker>[a-z]+)/(?P<step>tick|second|minute|hour|daily)"
    r"/(?P<symbol>[a-z0-9]+)(?:/(?P<date>\d{8})_(?P<what>quote|trade))?\.zip$"
)


class LeanTicks:
    """A Lean FX or CFD tick file."""

    name = "lean-tick"

    def __init__(self, path: Path, broker: str, symbol: str, midnight_ns: int) -> None:
        self.path = path
        self.source = f"lean-{broker}"
        self.symbol = symbol
        self._midnight_ns = midnight_ns

    @classmethod
    def recognise(cls, path: Path) -> LeanTicks | None:
        """Return the file as this format, or None. Raises NotQuotesError for Lean's other files."""
        found = _FILE.search(path.as_posix().lower())
        if found is None:
            return None
        market, broker, step, symbol, date, what = found.groups()
        if step != "tick" or what != "quote":
            problem = f"a Lean file of {step} {what or 'bar'}s, not of quote ticks"
            raise NotQuotesError(path, problem, "give a tick/<symbol>/<date>_quote.zip file")
        if market not in {"forex", "cfd"}:
            problem = f"Lean {market} ticks are one-sided book updates of single exchanges"
            raise NotQuotesError(path, problem, "give a forex or cfd tick file")
        if broker not in _BEHIND_UTC_HOURS:
            known = ", ".join(sorted(_BEHIND_UTC_HOURS))
            problem = f"the clock zone of broker {broker!r} is not known (known: {known})"
            raise RecordingError(path, problem, "convert it to a CSV file with ts_ns,bid,ask")
        try:
            midnight = datetime.strptime(date, "%Y%m%d").replace(tzinfo=UTC)
        except ValueError as error:
            problem = f"{date} in the file's name is not a date"
            raise RecordingError(path, problem, "name it <yyyymmdd>_quote.zip") from error
        behind_ns = _BEHIND_UTC_HOURS[broker] * _HOUR_NS
        return cls(
            path, broker, symbol.upper(), int(midnight.timestamp()) * 1_000_000_000 + behind_ns
        )

    def rows(self) -> Iterator[RawRows]:
        """Yield the file's quotes in its own order. Raises RecordingError for a damaged file."""
        for block in read_blocks(self.path):
            try:
                since_midnight, bid, ask = parse_columns(block.text, 3)
            except BadLineError as bad:
                advice = "expected lines of milliseconds,bid,ask"
                line = block.line + bad.row
                raise RecordingError(self.path, bad.problem, advice, line) from bad
            ts_ns, exact = rescale(since_midnight, _MS_PLACES)
            inside = exact & (ts_ns < 24 * _HOUR_NS)
            if not inside.all():
                line = block.line + int(inside.argmin())
                problem = "the time of day is finer than a nanosecond or past midnight"
                raise RecordingError(self.path, problem, "expected milliseconds of one day", line)
            yield RawRows(ts_ns + self._midnight_ns, bid, ask)
