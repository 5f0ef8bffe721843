"""Finds the recordings under given paths, and joins the files of one symbol and source."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tradeloom.marketdata.limits import FILES_MAX
from tradeloom.marketdata.recordings.binance import BinanceCapture
from tradeloom.marketdata.recordings.errors import RecordingError
from tradeloom.marketdata.recordings.formats import Format
from tradeloom.marketdata.recordings.lean import LeanTicks
from tradeloom.marketdata.recordings.recording import Recording, join, survey
from tradeloom.marketdata.recordings.table import QuoteTable


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file of a folder that holds no quotes we know how to read, and why."""

    path: Path
    reason: str


@dataclass(frozen=True, slots=True)
class Catalog:
    """What was found: recordings sorted by source and symbol, and the files passed over."""

    recordings: tuple[Recording, ...]
    skipped: tuple[Skipped, ...]


def open_recording(path: Path | str) -> Recording:
    """Open one recording: a file, or a folder that holds one symbol of one source.

    Raises RecordingError when it is damaged, not recognised, or holds several recordings.
    """
    found = open_recordings([path]).recordings
    if len(found) != 1:
        names = ", ".join(f"{each.source}/{each.symbol}" for each in found)
        problem = f"{len(found)} recordings instead of one ({names})"
        raise RecordingError(Path(path), problem, "give one of them, or use open_recordings")
    return found[0]


def open_recordings(paths: Iterable[Path | str]) -> Catalog:
    """Open every recording under `paths`; folders are searched to the bottom.

    A history catalog gives one recording per stream of quotes. In a folder, files of unknown kinds
    are passed over and listed; a file given by name must be a recording. Raises RecordingError for
    a damaged file, and when nothing at all is found.
    """
    parts: defaultdict[tuple[str, str], list[Recording]] = defaultdict(list)
    skipped: list[Skipped] = []
    given = [Path(path) for path in paths]
    for root in given:
        if is_catalog(root):
            # Polars loads for catalogs only; a start without one stays quick.
            from tradeloom.marketdata.history.replayed import recorded_quotes

            for stream in recorded_quotes(root):
                parts[stream.source, stream.symbol].append(survey(stream))
    for path, by_name in _files([root for root in given if not is_catalog(root)]):
        try:
            file = _recognise(path)
        except RecordingError as error:
            if by_name:
                raise
            skipped.append(Skipped(path, error.problem))
            continue
        if file is not None:
            parts[file.source, file.symbol].append(survey(file))
        elif by_name:
            raise _unknown(path)
        else:
            skipped.append(Skipped(path, "not a recorded format"))
    if not parts:
        where = given[0] if given else Path()
        problem = f"no recording found ({len(skipped)} files of other kinds)"
        raise RecordingError(where, problem, "give a recording or a folder that holds one")
    return Catalog(tuple(join(parts[key]) for key in sorted(parts)), tuple(skipped))


def is_catalog(path: Path) -> bool:
    """Say whether a folder is a history catalog."""
    return (path / "_log").is_dir()


def _recognise(path: Path) -> Format | None:
    return LeanTicks.recognise(path) or QuoteTable.recognise(path) or BinanceCapture.recognise(path)


def _unknown(path: Path) -> RecordingError:
    if not path.stat().st_size:
        return RecordingError(path, "the file is empty", "record it again or leave it out")
    problem = "not a recorded format (known: Lean tick zip, Binance WebSocket capture, CSV)"
    return RecordingError(path, problem, "convert it to a CSV file with the header ts_ns,bid,ask")


def _files(given: Iterable[Path]) -> Iterator[tuple[Path, bool]]:
    """Yield each file once, sorted inside each folder, with whether it was given by name."""
    seen: set[Path] = set()
    for path in given:
        inside = (
            sorted(each for each in path.rglob("*") if each.is_file()) if path.is_dir() else None
        )
        for each in [path] if inside is None else inside:
            if each.resolve() in seen:
                continue
            seen.add(each.resolve())
            if len(seen) > FILES_MAX:
                raise RecordingError(path, f"more than {FILES_MAX} files", "give a smaller folder")
            yield each, inside is None
