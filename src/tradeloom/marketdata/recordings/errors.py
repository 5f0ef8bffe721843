"""What can be wrong with a recording: the file, the line and the cure."""

from __future__ import annotations

from pathlib import Path


class RecordingError(Exception):
    """A recording cannot be read: names the file, the line if there is one, and what to do.

    Attributes: `path`, `line` (from 1, or None), `problem`, `advice`.
    """

    def __init__(self, path: Path, problem: str, advice: str, line: int | None = None) -> None:
        self.path = path
        self.line = line
        self.problem = problem
        self.advice = advice
        where = str(path) if line is None else f"{path}, line {line}"
        super().__init__(f"{where}: {problem}; {advice}")


class NotQuotesError(RecordingError):
    """The file is sound but holds something else than quotes (trades, bars, book updates)."""
