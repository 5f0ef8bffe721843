"""The catalog's log: which files count, and how far each source was imported.

A commit is one JSON file with the next number, made under a temporary name, synced and renamed: it
is there as a whole or not at all. Parquet files that no commit names do not exist for a reader, so
a process killed between two renames leaves nothing but rubbish to sweep. Now and then the log is
folded into one state file.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from tradeloom.marketdata.history.errors import CatalogError
from tradeloom.marketdata.history.kinds import Kind, Stream
from tradeloom.marketdata.history.limits import LOG_ENTRIES_MAX, LOG_TRIES
from tradeloom.marketdata.history.report import SourceReport

_T = TypeVar("_T")
FOLDER: Final = "_log"
_ADVICE: Final = "restore it from a backup, or import into a new catalog"


class Part(msgspec.Struct, frozen=True):
    """One Parquet file: `path` below the catalog, rows, bytes, BLAKE2b-128 and span of times."""

    path: str
    venue: str
    symbol: str
    kind: Kind
    day: str
    rows: int
    size: int
    digest: str
    first_ns: int
    last_ns: int
    digits: int

    @property
    def stream(self) -> Stream:
        """Return whose rows these are."""
        return Stream(self.venue, self.symbol, self.kind)


class SourceState(msgspec.Struct, frozen=True):
    """How far a source is imported: batches committed, and the report once it is `done`."""

    digest: str
    batches: int
    duplicates: int = 0
    stored: int = 0
    done: bool = False
    report: SourceReport | None = None


class Commit(msgspec.Struct, frozen=True):
    """One change: files added, files (paths) taken out, progress of a source."""

    add: tuple[Part, ...] = ()
    remove: tuple[str, ...] = ()
    source: SourceState | None = None


class State(msgspec.Struct):
    """The catalog after commit `number`: files by path and sources by digest."""

    number: int = 0
    parts: dict[str, Part] = msgspec.field(default_factory=dict)
    sources: dict[str, SourceState] = msgspec.field(default_factory=dict)

    def apply(self, commit: Commit) -> None:
        """Take one commit more."""
        self.number += 1
        for path in commit.remove:
            self.parts.pop(path, None)
        for part in commit.add:
            self.parts[part.path] = part
        if commit.source is not None:
            self.sources[commit.source.digest] = commit.source


class Log:
    """The log of one catalog folder."""

    def __init__(self, root: Path) -> None:
        self.folder = root / FOLDER

    def load(self) -> State:
        """Read the newest state. Raises CatalogError for a damaged log."""
        for _ in range(LOG_TRIES):
            try:
                return self._load()
            except FileNotFoundError:
                # Folded while we read: the newer state file is there now.
                continue
        raise CatalogError(self.folder, "commits are missing", _ADVICE)

    def append(self, state: State, commit: Commit) -> None:
        """Make a commit durable, then apply it to `state`. The caller holds the write lock."""
        write_durably(self._entry(state.number + 1), msgspec.json.encode(commit))
        state.apply(commit)
        if state.number % LOG_ENTRIES_MAX == 0:
            self.fold(state)

    def fold(self, state: State) -> None:
        """Write the state as one file and drop the commits it stands for."""
        kept = self.folder / f"{state.number:010d}.state.json"
        write_durably(kept, msgspec.json.encode(state))
        for path in sorted(self.folder.glob("*.json")):
            if path != kept and int(path.name.split(".")[0]) <= state.number:
                path.unlink(missing_ok=True)

    def _load(self) -> State:
        folded = sorted(self.folder.glob("*.state.json"))
        state = State()
        if folded:
            state = self._decode(folded[-1], State)
        newer = sorted(int(path.name.split(".")[0]) for path in self.folder.glob("*.commit.json"))
        for number in newer:
            if number <= state.number:
                continue
            if number != state.number + 1:
                raise FileNotFoundError(self._entry(state.number + 1))
            state.apply(self._decode(self._entry(number), Commit))
        return state

    def _entry(self, number: int) -> Path:
        return self.folder / f"{number:010d}.commit.json"

    def _decode(self, path: Path, shape: type[_T]) -> _T:
        try:
            return msgspec.json.decode(path.read_bytes(), type=shape)
        except msgspec.MsgspecError as error:
            raise CatalogError(path, f"damaged log entry ({error})", _ADVICE) from error


def write_durably(path: Path, content: bytes) -> None:
    """Write a file so that it is there as a whole, or not at all, even after a power cut."""
    temporary = path.with_name(f"{path.name}.new")
    with temporary.open("wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
    temporary.rename(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make renames inside a folder durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
