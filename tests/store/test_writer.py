"""The writer follows a live stream, survives a database that is away, and makes nobody wait."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from tests.store.looking import content
from tests.store.server import NoServerError, running
from tests.store.streams import events, orders, seq_of, varied
from tradeloom.store import Database, ProjectionWriter, follow, rebuild
from tradeloom.store.sinks import open_sink
from tradeloom.store.writer import PROJECTION


class Journal:
    """All events so far, as a shard's journal gives them again; counts how often it was read."""

    def __init__(self) -> None:
        self.chunks: list[bytes] = []
        self.reads = 0

    def __call__(self, after: int) -> Iterator[bytes]:
        self.reads += 1
        for chunk in list(self.chunks):
            if any(seq_of(event) > after for event in events((chunk,))):
                yield chunk


async def _follow(writer: ProjectionWriter, journal: Journal, chunks: Iterable[bytes]) -> None:
    """What a shard does: the journal first, then the outbox."""
    for chunk in chunks:
        journal.chunks.append(chunk)
        writer.submit(chunk)
        await asyncio.sleep(0)


async def _until(condition: Callable[[], bool], timeout_s: float = 30.0) -> None:
    end = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end, "it did not come to pass"
        await asyncio.sleep(0.01)


async def test_follows_a_live_stream(database: Database) -> None:
    core, chunks = varied(seed=2)
    journal = Journal()
    writer = follow(database.address, 0, journal)
    writer.start()
    await _follow(writer, journal, chunks)
    assert await writer.reached(core.event_seq, 30), writer.progress
    # What the start had read from the journal already is still to be passed over.
    await _until(lambda: not writer.progress.waiting_bytes)
    progress = writer.progress
    assert (progress.behind, progress.problem) == (False, "")
    assert progress.batches < len(chunks) / 3, "commits are not grouped"
    await writer.close()
    live = await content(database)
    await asyncio.to_thread(rebuild, database.address, 0, journal)
    assert live == await content(database)


async def test_waits_only_for_what_is_asked(database: Database) -> None:
    core, chunks = varied(seed=2)
    journal = Journal()
    writer = follow(database.address, 0, journal)
    writer.start()
    await _follow(writer, journal, chunks[:50])
    first = max(seq_of(event) for event in events(chunks[:50]))
    assert await writer.reached(first, 30)
    assert not await writer.reached(core.event_seq, 0.05)
    waiting = asyncio.create_task(writer.reached(core.event_seq, 30))
    await _follow(writer, journal, chunks[50:])
    assert await waiting
    await writer.close()


async def test_a_start_reads_what_was_missed(database: Database) -> None:
    core, chunks = varied(seed=2)
    journal = Journal()
    journal.chunks = list(chunks[:400])
    writer = follow(database.address, 0, journal)
    writer.start()
    first = max(seq_of(event) for event in events(chunks[:400]))
    assert await writer.reached(first, 30)
    await writer.close()
    journal.chunks = list(chunks)
    again = follow(database.address, 0, journal)
    again.start()
    assert await again.reached(core.event_seq, 30)
    assert again.progress.events == core.event_seq - first
    await again.close()


async def test_a_gap_is_read_from_the_journal(database: Database) -> None:
    core, chunks = varied(seed=2)
    journal = Journal()
    writer = follow(database.address, 0, journal)
    writer.start()
    await _follow(writer, journal, chunks[:100])
    journal.chunks += chunks[100:200]  # lost on the way to the writer
    await _follow(writer, journal, chunks[200:])
    assert await writer.reached(core.event_seq, 30), writer.progress
    await _until(lambda: not writer.progress.behind)
    await writer.close()
    live = await content(database)
    await asyncio.to_thread(rebuild, database.address, 0, journal)
    assert live == await content(database)


async def test_a_full_queue_drops_and_reads_again(tmp_path: Path) -> None:
    core, chunks = orders(4_000)
    async with await Database.open(f"sqlite:///{tmp_path}/t.db") as database:
        journal = Journal()
        sink = open_sink(database.address, 0, PROJECTION)
        writer = ProjectionWriter(sink, 0, journal, queue_bytes_max=100_000)
        # Not started yet: everything that comes is more than fits.
        for chunk in chunks:
            journal.chunks.append(chunk)
            writer.submit(chunk)
            assert writer.progress.waiting_bytes <= 100_000
        writer.start()
        assert await writer.reached(core.event_seq, 60), writer.progress
        await writer.close()
        live = await content(database)
        await asyncio.to_thread(rebuild, database.address, 0, journal)
        assert live == await content(database)


async def test_a_locked_file_stops_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tradeloom.store.sinks.sqlite.SQLITE_BUSY_MS", 50)
    core, chunks = varied(seed=2)
    async with await Database.open(f"sqlite:///{tmp_path}/t.db") as database:
        journal = Journal()
        writer = follow(database.address, 0, journal)
        writer.start()
        await _follow(writer, journal, chunks[:100])
        assert await writer.reached(100, 30)
        thief = sqlite3.connect(tmp_path / "t.db", isolation_level=None)
        thief.execute("BEGIN IMMEDIATE")
        began = time.monotonic()
        await _follow(writer, journal, chunks[100:])
        assert time.monotonic() - began < 1.0, "submit waited for the database"
        await _until(lambda: writer.progress.problem != "")
        assert "locked" in writer.progress.problem
        assert writer.progress.behind
        thief.execute("ROLLBACK")
        thief.close()
        assert await writer.reached(core.event_seq, 30), writer.progress
        await _until(lambda: not writer.progress.behind)
        assert writer.progress.problem == ""
        await writer.close()
        live = await content(database)
        await asyncio.to_thread(rebuild, database.address, 0, journal)
        assert live == await content(database)


async def test_a_server_that_restarts_is_found_again() -> None:
    core, chunks = varied(seed=2)
    journal = Journal()
    try:
        with running(port_seed=500) as server:
            database = await Database.open(f"{server.address}/postgres")
            writer = follow(database.address, 0, journal)
            writer.start()
            await _follow(writer, journal, chunks[:200])
            first = max(seq_of(event) for event in events(chunks[:200]))
            assert await writer.reached(first, 30)
            await asyncio.to_thread(server.stop)
            await _follow(writer, journal, chunks[200:])
            await _until(lambda: writer.progress.problem != "")
            await asyncio.to_thread(server.start)
            assert await writer.reached(core.event_seq, 30), writer.progress
            await writer.close()
            live = await content(database)
            await asyncio.to_thread(rebuild, database.address, 0, journal)
            assert live == await content(database)
            await database.close()
    except NoServerError as error:
        pytest.skip(f"no PostgreSQL: {error}")


async def test_a_full_disk_is_told_and_survived(tmp_path: Path) -> None:
    """A file system of two megabytes, where we may mount one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = os.geteuid() == 0 and shutil.which("mount") is not None
    if mounted:
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(disk)],
            capture_output=True,
            check=False,
        )
        mounted = done.returncode == 0
    if not mounted:
        pytest.skip("may not mount a small file system here")
    core, chunks = orders(4_000)
    journal = Journal()
    try:
        database = await Database.open(f"sqlite:///{disk}/t.db")
        writer = follow(database.address, 0, journal)
        writer.start()
        await _follow(writer, journal, chunks)
        await _until(lambda: writer.progress.problem != "")
        assert "full" in writer.progress.problem or "I/O" in writer.progress.problem
        subprocess.run(["mount", "-o", "remount,size=64m", str(disk)], check=True)
        assert await writer.reached(core.event_seq, 60), writer.progress
        await writer.close()
        await database.close()
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=False)


def test_a_rebuild_by_another_process_while_following(tmp_path: Path) -> None:
    """The running writer notices, stops with a clear word, and damages nothing."""
    core, chunks = varied(seed=2)

    async def scene() -> None:
        async with await Database.open(f"sqlite:///{tmp_path}/t.db") as database:
            journal = Journal()
            writer = follow(database.address, 0, journal)
            writer.start()
            await _follow(writer, journal, chunks[:300])
            first = max(seq_of(event) for event in events(chunks[:300]))
            assert await writer.reached(first, 30)
            await asyncio.to_thread(rebuild, database.address, 0, lambda _: chunks)
            await _follow(writer, journal, chunks[300:])
            await _until(lambda: writer.progress.problem != "")
            assert "another process" in writer.progress.problem
            await writer.close()
            rebuilt = await content(database)
            assert rebuilt["projection_state"][0][-1] == core.event_seq

    asyncio.run(scene())
