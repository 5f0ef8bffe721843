"""Disks that fail or crash on purpose, behind the journal's own seam to the operating system."""

from __future__ import annotations

import errno
import os
import random
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from tradeloom.engine.journal.disk import Buffer, Disk

SECTOR = 512


class FastDisk(Disk):
    """Skips the syncs: for tests that open thousands of journals and pull no plug."""

    def fdatasync(self, fd: int) -> None:
        pass

    def sync_directory(self, path: Path) -> None:
        pass


class FaultyDisk(Disk):
    """Fails the call number `at` (from 1) of one kind with an error number; counts all calls."""

    def __init__(self, call: str = "", at: int = 1, number: int = errno.EIO) -> None:
        self.call, self.at, self.number = call, at, number
        self.calls: dict[str, int] = {}

    def arm(self, call: str, at: int, number: int) -> None:
        self.calls = {}
        self.call, self.at, self.number = call, at, number

    def _hit(self, call: str) -> None:
        self.calls[call] = self.calls.get(call, 0) + 1
        if call == self.call and self.calls[call] >= self.at:
            raise OSError(self.number, os.strerror(self.number))

    def open(self, path: Path, *, create: bool = False, write: bool = True) -> int:
        self._hit("create" if create else "open")
        return super().open(path, create=create, write=write)

    def pwritev(self, fd: int, buffers: Sequence[Buffer], offset: int) -> int:
        self._hit("pwritev")
        return super().pwritev(fd, buffers, offset)

    def fdatasync(self, fd: int) -> None:
        self._hit("fdatasync")
        super().fdatasync(fd)

    def allocate(self, fd: int, size: int) -> None:
        self._hit("allocate")
        super().allocate(fd, size)

    def rename(self, old: Path, new: Path) -> None:
        self._hit("rename")
        super().rename(old, new)

    def sync_directory(self, path: Path) -> None:
        self._hit("sync_directory")
        super().sync_directory(path)


class ShortDisk(Disk):
    """Writes at most `most` bytes per call, as the kernel is free to do."""

    def __init__(self, most: int) -> None:
        self.most = most

    def pwritev(self, fd: int, buffers: Sequence[Buffer], offset: int) -> int:
        return super().pwritev(fd, [b"".join(buffers)[: self.most]], offset)


class PowerCut(OSError):  # noqa: N818
    """The plug was pulled; the disk does nothing any more."""


class CrashDisk(Disk):
    """Remembers what is not synced, so that a crash can lose any part of it.

    `crash_at`: number of the call that pulls the plug. `image` then leaves on the real disk what a
    power cut may leave: of every unsynced write any subset of its sectors, of every unsynced rename
    either state.
    """

    def __init__(self, crash_at: int) -> None:
        self._left = crash_at
        self._writes: dict[int, list[tuple[Path, int, bytes, bytes]]] = {}
        self._renames: list[tuple[Path, Path]] = []
        self._paths: dict[int, Path] = {}
        self.open_files: set[int] = set()

    @property
    def dead(self) -> bool:
        """True once the plug was pulled."""
        return self._left <= 0

    def _step(self, act: Callable[[], None], done: bool) -> None:
        """Run `act`; when the count is over, pull the plug before it or (`done`) behind it."""
        if self.dead:
            raise PowerCut
        self._left -= 1
        if self._left > 0 or done:
            act()
        if self.dead:
            raise PowerCut

    def unlink(self, path: Path) -> None:
        if self.dead:
            raise PowerCut
        super().unlink(path)

    def allocate(self, fd: int, size: int) -> None:
        if self.dead:
            raise PowerCut
        super().allocate(fd, size)

    def open(self, path: Path, *, create: bool = False, write: bool = True) -> int:
        if self.dead:
            raise PowerCut
        fd = super().open(path, create=create, write=write)
        self._paths[fd] = path
        self.open_files.add(fd)
        return fd

    def close(self, fd: int) -> None:
        self.open_files.discard(fd)
        super().close(fd)

    def pwritev(self, fd: int, buffers: Sequence[Buffer], offset: int) -> int:
        data = b"".join(buffers)
        old = self.read(fd, len(data), offset).ljust(len(data), b"\0")

        def write() -> None:
            self._writes.setdefault(fd, []).append((self._paths[fd], offset, old, data))
            Disk.pwritev(self, fd, [data], offset)

        self._step(write, done=True)
        return len(data)

    def fdatasync(self, fd: int) -> None:
        self._step(lambda: None, done=False)
        self._writes.pop(fd, None)

    def rename(self, old: Path, new: Path) -> None:
        for fd, path in self._paths.items():
            if path == old:
                self._paths[fd] = new
        self._step(lambda: Disk.rename(self, old, new), done=False)
        self._renames.append((old, new))

    def sync_directory(self, path: Path) -> None:
        self._step(lambda: None, done=False)
        self._renames.clear()

    def image(self, seed: random.Random) -> None:
        for thread in threading.enumerate():
            if thread.name == "journal-prepare":
                thread.join()
        for fd in list(self.open_files):  # as the end of the process would
            self.close(fd)
        for writes in self._writes.values():
            for path, offset, old, new in writes:
                where = path if path.exists() else None
                if where is None:
                    continue
                with where.open("r+b") as file:
                    file.seek(offset)
                    file.write(_mixed(seed, offset, old, new))
        for old_name, new_name in reversed(self._renames):
            if new_name.exists() and seed.random() < 0.5:
                new_name.rename(old_name)


def _mixed(seed: random.Random, offset: int, old: bytes, new: bytes) -> bytes:
    """`new` with a random subset of its sectors as they were."""
    mixed, at = bytearray(new), 0
    keep = seed.choice([0.1, 0.5, 0.9])
    while at < len(new):
        end = min(len(new), at + SECTOR - (offset + at) % SECTOR)
        if seed.random() < keep:
            mixed[at:end] = old[at:end]
        at = end
    return bytes(mixed)
