"""Splits blocks of delimited text into columns of text, and names the line that does not fit."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from pathlib import Path

import polars as pl

from tradeloom.marketdata.history.numbers import BadNumberError, decimals
from tradeloom.marketdata.recordings.decimals import Decimals
from tradeloom.marketdata.recordings.errors import RecordingError
from tradeloom.marketdata.recordings.files import Block


class Lines:
    """The lines of one block as columns of text; `columns` names them in order."""

    def __init__(
        self, path: Path, block: Block, columns: Sequence[str], separator: str = ","
    ) -> None:
        """Split the block. Raises RecordingError naming the first line with other fields."""
        self._path = path
        self._block = block
        self._columns = list(columns)
        text = block.text
        if b'"' in text or b"\n\n" in text or text.startswith(b"\n"):
            text = text.replace(b'"', b"")
        rows = len(text.splitlines()) if b"\r" in text else text.count(b"\n")
        counted = text.count(separator.encode())
        if counted != rows * (len(columns) - 1):
            self._irregular(text, separator)
        joined = pl.Series("line", [text.decode("utf-8", "replace").removesuffix("\n")])
        whole = joined.str.split("\n").explode()
        parts = whole.str.splitn(separator, len(columns)).struct.unnest()
        self.frame = parts.rename(dict(zip(parts.columns, columns, strict=True)))
        if self.frame[self._columns[-1]].null_count():
            self._irregular(text, separator)

    @property
    def first_line(self) -> int:
        """Return the number of the first line, from 1."""
        return self._block.line

    def only(self, kept: pl.Series) -> Lines:
        """Return some of the rows; errors then name the block's first line."""
        some = copy(self)
        some.frame = self.frame.filter(kept)
        return some

    def text(self, column: str) -> pl.Series:
        """Return a column without blanks around its values."""
        values = self.frame[column]
        if self._has_blanks:
            values = values.str.strip_chars()
        return values

    def number(self, column: str) -> Decimals:
        """Return a column of numbers. Raises RecordingError naming line and column."""
        try:
            return decimals(self.text(column))
        except BadNumberError as bad:
            raise self.error(bad.row, column, bad.problem) from bad

    def error(self, row: int, column: str, problem: str) -> RecordingError:
        """Return the error for a value at a row (from 0)."""
        advice = f"expected {','.join(self._columns)}"
        what = f"column {self._columns.index(column) + 1} ({column}): {problem}"
        return RecordingError(self._path, what, advice, self._block.line + row)

    @property
    def _has_blanks(self) -> bool:
        return b" " in self._block.text or b"\t" in self._block.text or b"\r" in self._block.text

    def _irregular(self, text: bytes, separator: str) -> None:
        for row, line in enumerate(text.split(b"\n")[:-1]):
            fields = line.count(separator.encode()) + 1
            if fields != len(self._columns):
                shown = line[:60].decode("utf-8", "replace")
                problem = f"{fields} fields instead of {len(self._columns)} in {shown!r}"
                advice = f"expected {separator.join(self._columns)}"
                raise RecordingError(self._path, problem, advice, self._block.line + row)
