"""Reads the text of a plain, gzip or zip file as blocks of whole lines; names every damage."""

from __future__ import annotations

import gzip
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, Protocol

from tradeloom.marketdata.limits import BLOCK_BYTES, LINE_BYTES_MAX
from tradeloom.marketdata.recordings.errors import RecordingError


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


class Block(NamedTuple):
    """Whole lines, each ended by a single newline; `line` is the number of the first, from 1."""

    line: int
    text: bytes


def read_blocks(path: Path) -> Iterator[Block]:
    """Yield the text of `path` in blocks; zip (one member) and gzip are seen by their first bytes.

    Raises RecordingError for a missing, empty, truncated or damaged file.
    """
    line = 1
    tail = b""
    with _text_of(path) as stream:
        while data := _read(path, stream):
            head, newline, rest = data.rpartition(b"\n")
            if newline:
                text = tail + head + newline
                yield Block(line, _unix(text))
                line += text.count(b"\n")
                tail = rest
            else:
                tail += rest
            if len(tail) > LINE_BYTES_MAX:
                problem = f"a line longer than {LINE_BYTES_MAX} bytes"
                raise RecordingError(path, problem, "this is not a text recording", line)
    if tail.strip():
        yield Block(line, _unix(tail) + b"\n")
    elif line == 1:
        raise RecordingError(path, "the file is empty", "record it again or leave it out")


def beginning(path: Path) -> bytes:
    """Return the first bytes of the text, at most one block, to recognise a format by.

    Raises RecordingError for a missing or damaged file; an empty one gives no bytes.
    """
    with _text_of(path) as stream:
        return _unix(_read(path, stream))


def _unix(text: bytes) -> bytes:
    return text.replace(b"\r\n", b"\n").removesuffix(b"\r")


@contextmanager
def _text_of(path: Path) -> Iterator[_Readable]:
    try:
        with path.open("rb") as raw:
            magic = raw.read(4)
            raw.seek(0)
            if magic[:2] == b"\x1f\x8b":
                with gzip.open(raw) as stream:
                    yield stream
            elif magic[:2] == b"PK":
                with (
                    zipfile.ZipFile(raw) as archive,
                    archive.open(_member(path, archive)) as inside,
                ):
                    yield inside
            else:
                yield raw
    except OSError as error:
        problem = error.strerror or str(error)
        raise RecordingError(path, problem, "check the path and its permissions") from error
    except zipfile.BadZipFile as error:
        raise _damaged(path, "zip archive", error) from error


def _member(path: Path, archive: zipfile.ZipFile) -> str:
    names = [info.filename for info in archive.infolist() if not info.is_dir()]
    if len(names) != 1:
        problem = f"{len(names)} files in the zip archive instead of one"
        raise RecordingError(path, problem, "unpack it and give the folder instead")
    return names[0]


def _read(path: Path, stream: _Readable) -> bytes:
    try:
        return stream.read(BLOCK_BYTES)
    except (EOFError, zlib.error, gzip.BadGzipFile, zipfile.BadZipFile) as error:
        kind = "zip archive" if isinstance(stream, zipfile.ZipExtFile) else "gzip file"
        raise _damaged(path, kind, error) from error


def _damaged(path: Path, kind: str, error: Exception) -> RecordingError:
    problem = f"truncated or damaged {kind} ({error})"
    return RecordingError(path, problem, "fetch or record the file again")
