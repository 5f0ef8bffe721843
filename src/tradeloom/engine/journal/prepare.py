"""Makes the next segment while the current one fills: allocated, zeroed and synced in advance.

A write into blocks that are already zeros on the disk changes no file-system metadata, which halves
the time of the sync behind it, and it cannot run out of space.
"""

from __future__ import annotations

import contextlib
import threading
import time
from pathlib import Path
from typing import Final

from ..limits import PREPARE_CHUNK_BYTES, PREPARE_RETRY_S
from .disk import Disk
from .errors import JournalUnavailable

SPARE_NAME: Final = "next-segment.new"


def make_zeroed(disk: Disk, path: Path, size: int) -> int:
    """A new file of `size` durable zeros; returns its descriptor. Leaves nothing when it fails."""
    disk.unlink(path)
    fd = disk.open(path, create=True)
    try:
        disk.allocate(fd, size)
        zeros = bytes(min(size, PREPARE_CHUNK_BYTES))
        for offset in range(0, size, len(zeros)):
            count = min(len(zeros), size - offset)
            disk.write_all(fd, [memoryview(zeros)[:count]], offset)
            disk.fdatasync(fd)
    except BaseException:
        with contextlib.suppress(OSError):
            disk.close(fd)
            disk.unlink(path)
        raise
    return fd


class SparePreparer:
    """Keeps at most one spare segment; `take` hands it over or says why there is none."""

    def __init__(self, disk: Disk, directory: Path, size: int) -> None:
        self._disk = disk
        self.path = directory / SPARE_NAME
        self._size = size
        self._thread: threading.Thread | None = None
        self._fd: int | None = None
        self._error: OSError | None = None
        self._failed_at = 0.0
        disk.unlink(self.path)

    def start(self) -> None:
        """Begin making the spare in the background, unless that is done or under way."""
        if self._fd is not None or self._thread is not None or self._resting():
            return
        self._thread = threading.Thread(target=self._work, name="journal-prepare", daemon=True)
        self._thread.start()

    def take(self) -> int:
        """The descriptor of the spare, waiting for it; raises JournalUnavailable."""
        self.start()
        self._join()
        if self._fd is None:
            raise JournalUnavailable(self.path.parent, self._error or "no new segment")
        fd, self._fd = self._fd, None
        return fd

    def failed(self, error: OSError) -> None:
        """The spare that was taken could not be used: forget it and wait before the next."""
        self._error, self._failed_at = error, time.monotonic()

    def close(self) -> None:
        """Remove the spare."""
        self._join()
        if self._fd is not None:
            self._disk.close(self._fd)
            self._fd = None
        self._disk.unlink(self.path)

    def _resting(self) -> bool:
        return self._error is not None and time.monotonic() - self._failed_at < PREPARE_RETRY_S

    def _join(self) -> None:
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _work(self) -> None:
        try:
            self._fd = make_zeroed(self._disk, self.path, self._size)
            self._error = None
        except OSError as error:
            self.failed(error)
