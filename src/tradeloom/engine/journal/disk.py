"""The one seam between journal and operating system: where tests break the disk."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

Buffer = bytes | bytearray | memoryview


class Disk:
    """The real disk. Every method raises `OSError`; a subclass may do so more often."""

    def open(self, path: Path, *, create: bool = False, write: bool = True) -> int:
        """A file descriptor for `path`; `create` makes the file when it is missing."""
        flags = (os.O_RDWR if write else os.O_RDONLY) | os.O_CLOEXEC
        return os.open(path, flags | (os.O_CREAT if create else 0), 0o640)

    def close(self, fd: int) -> None:
        """Close `fd`."""
        os.close(fd)

    def size(self, fd: int) -> int:
        """Bytes in the file."""
        return os.fstat(fd).st_size

    def read(self, fd: int, count: int, offset: int) -> bytes:
        """At most `count` bytes from `offset`; fewer only at the end of the file."""
        data = os.pread(fd, count, offset)
        while len(data) < count:
            more = os.pread(fd, count - len(data), offset + len(data))
            if not more:
                break
            data += more
        return data

    def pwritev(self, fd: int, buffers: Sequence[Buffer], offset: int) -> int:
        """One write call; returns the bytes written, which may be fewer than given."""
        return os.pwritev(fd, buffers, offset)

    def fdatasync(self, fd: int) -> None:
        """Make what was written to `fd` durable (its size too, when it grew)."""
        os.fdatasync(fd)

    def allocate(self, fd: int, size: int) -> None:
        """Reserve `size` bytes; fails now rather than in the middle of a batch."""
        os.posix_fallocate(fd, 0, size)

    def rename(self, old: Path, new: Path) -> None:
        """Rename atomically."""
        old.replace(new)

    def unlink(self, path: Path) -> None:
        """Remove a file; one that is not there is fine."""
        path.unlink(missing_ok=True)

    def sync_directory(self, path: Path) -> None:
        """Make creations, renames and removals in `path` durable."""
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)

    # ---- built from the calls above ----------------------------------------------------------

    def write_all(self, fd: int, buffers: Sequence[Buffer], offset: int) -> None:
        """Write everything, going on after short writes; a write of nothing is an error."""
        total = sum(len(buffer) for buffer in buffers)
        done = self.pwritev(fd, buffers, offset)
        if done == total:
            return
        rest = memoryview(b"".join(buffers))
        while done < total:
            count = self.pwritev(fd, [rest[done:]], offset + done)
            if count <= 0:
                raise OSError(5, "the disk wrote nothing")
            done += count


@contextlib.contextmanager
def opened(disk: Disk, path: Path, *, write: bool = False) -> Iterator[int]:
    """The file descriptor of `path` while the block runs."""
    fd = disk.open(path, write=write)
    try:
        yield fd
    finally:
        disk.close(fd)


def try_lock(fd: int) -> bool:
    """Lock `fd` for this process alone; False when another has it. Ends with the descriptor."""
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
