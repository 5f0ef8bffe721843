"""What can be wrong with a journal, as a tree of exceptions that say what and where.

JournalError
├── JournalDamaged       bytes are not what was written; never repaired silently
├── JournalTooNew        written by a later version of Tradeloom
├── JournalUnavailable   no room or no write access; nothing was written, try again later
├── JournalWriteFailed   a write or sync of accepted data failed; the process must end
├── JournalLocked        another process has it open
└── JournalFenced        a writer with a higher epoch has been here
"""

from __future__ import annotations

from pathlib import Path


class JournalError(Exception):
    """Base of everything a journal raises."""


class JournalDamaged(JournalError):  # noqa: N818 - the name says what happened
    """Bytes are not as they were written: in `segment`, at byte `offset`, for this `reason`."""

    def __init__(self, segment: str, offset: int, reason: str) -> None:
        super().__init__(f"journal damaged: segment {segment}, byte {offset}: {reason}")
        self.segment = segment
        self.offset = offset
        self.reason = reason


class JournalTooNew(JournalError):  # noqa: N818
    """A later version wrote `file`: it says `found`, this program knows up to `known`."""

    def __init__(self, file: str, what: str, found: int, known: int) -> None:
        super().__init__(
            f"journal too new: {file} has {what} version {found}, this program reads up to {known}"
        )
        self.file = file
        self.found = found
        self.known = known


class JournalUnavailable(JournalError):  # noqa: N818
    """No space or no access at `path`. Nothing was written and nothing has changed."""

    def __init__(self, path: Path | str, error: OSError | str) -> None:
        reason = error.strerror or str(error) if isinstance(error, OSError) else error
        super().__init__(f"journal unavailable: {path}: {reason}")
        self.path = str(path)
        self.reason = reason


class JournalWriteFailed(JournalError):  # noqa: N818
    """Accepted data may or may not be on the disk. A sync is never tried again: end the process."""

    def __init__(self, segment: str, offset: int, error: OSError) -> None:
        super().__init__(
            f"journal write failed: segment {segment}, byte {offset}: {error.strerror or error}"
        )
        self.segment = segment
        self.offset = offset


class JournalLocked(JournalError):  # noqa: N818
    """Another process has the journal at `path` open."""

    def __init__(self, path: Path | str) -> None:
        super().__init__(f"journal locked: {path} is open in another process")
        self.path = str(path)


class JournalFenced(JournalError):  # noqa: N818
    """The journal was written under `found`, a later epoch than ours: we lead no more."""

    def __init__(self, segment: str, ours: int, found: int) -> None:
        super().__init__(f"journal fenced: segment {segment} has epoch {found}, ours is {ours}")
        self.ours = ours
        self.found = found
