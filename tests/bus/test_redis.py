"""Redis that dies, is full, forgets its groups or breaks midway; consumers that are killed."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.bus.server import NoServerError, Server, running
from tradeloom.bus import BusError, BusFull, BusUnavailable, Consumer, OutcomeUnknown, RedisBus

STREAM = "md:test"


@contextlib.asynccontextmanager
async def _bus(server: Server) -> AsyncIterator[RedisBus]:
    bus = RedisBus(server.url)
    try:
        yield bus
    finally:
        await bus.close()


async def test_a_killed_server_loses_nothing_that_was_published(own_redis: Server) -> None:
    """kill -9 of Redis: every published entry arrives, every acknowledged one stays so."""
    async with _bus(own_redis) as bus:
        consumer = Consumer(bus, STREAM, "g", "me", count=7)
        sent: list[bytes] = []
        unknown: set[bytes] = set()
        stored: list[bytes] = []

        async def publish() -> None:
            for number in range(400):
                data = b"%d" % number
                while True:
                    try:
                        await bus.publish(STREAM, data)
                        sent.append(data)
                        break
                    except OutcomeUnknown:
                        unknown.add(data)
                    except BusUnavailable:
                        await asyncio.sleep(0.02)

        async def consume() -> None:
            while len(set(stored)) < 400:
                delivery = await consumer.next(0.2)
                stored.extend(entry.data for entry in delivery.entries)
                await consumer.done(delivery.entries)

        async def kill() -> None:
            for _ in range(2):
                while len(sent) < 400 and len(sent) % 100 < 50:
                    await asyncio.sleep(0.005)
                own_redis.kill()
                await asyncio.sleep(0.1)
                await asyncio.to_thread(own_redis.start)

        await asyncio.wait_for(asyncio.gather(publish(), consume(), kill()), 60)
        assert set(sent) <= set(stored)
        # An entry is doubled only where its publisher was told that nobody knows.
        doubled = {data for data in stored if stored.count(data) > 1}
        assert doubled <= unknown | {data for data in stored if consumer.health.redelivered}
        backlog = await bus.backlog(STREAM, "g")
        assert (backlog.lag, backlog.pending) == (0, 0)
        assert consumer.health.outages >= 1


async def test_a_server_that_is_away_published_nothing(own_redis: Server) -> None:
    async with _bus(own_redis) as bus:
        await bus.publish(STREAM, b"a")
        own_redis.kill()
        await asyncio.sleep(0.02)  # until the loop has seen the connection end
        with pytest.raises(BusUnavailable, match="does not answer"):
            await bus.publish(STREAM, b"b")
        with pytest.raises(BusUnavailable):
            await bus.length(STREAM)
        own_redis.start()
        assert await bus.length(STREAM) == 1


async def test_a_connection_lost_while_writing_is_an_unknown_outcome() -> None:
    """The server takes the command and dies before it answers."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            if b"XADD" in data:
                break
            writer.write(b"+OK\r\n" * data.count(b"*"))
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    bus = RedisBus(f"redis://127.0.0.1:{port}/0")
    with pytest.raises(OutcomeUnknown, match="lost while writing"):
        await bus.publish(STREAM, b"x")
    await bus.close()
    server.close()


async def test_a_lost_group_is_made_anew_from_the_oldest_entry(own_redis: Server) -> None:
    async with _bus(own_redis) as bus:
        consumer = Consumer(bus, STREAM, "g", "me")
        await bus.publish(STREAM, b"a")
        await consumer.done((await consumer.next(0)).entries)
        await bus._redis.flushall()
        await bus.publish(STREAM, b"b")
        assert [entry.data for entry in (await consumer.next(0)).entries] == [b"b"]
        assert bus.repairs == 1


async def test_a_full_server_refuses_a_batch_as_a_whole_and_says_busy() -> None:
    try:
        with running(maxmemory="3mb", seed=2) as server:
            async with _bus(server) as bus:

                async def fill() -> None:
                    for _ in range(200):
                        await bus.publish_many(STREAM, [bytes(20_000)] * 3)

                with pytest.raises(BusFull) as caught:
                    await fill()
                assert caught.value.code.name == "BUSY"
                length = await bus.length(STREAM)
                assert length
                assert length % 3 == 0
                # Reading and acknowledging go on, and then there is room again.
                consumer = Consumer(bus, STREAM, "g", "me", count=500)
                await consumer.done((await consumer.next(0)).entries)
                await asyncio.sleep(0.005)
                trimmed = await bus.trim(STREAM, keep_s=0, durable=["g"], length_max=10_000)
                assert trimmed.reason == "read"
                await bus.publish(STREAM, b"x")
    except NoServerError as error:
        pytest.skip(f"no Redis: {error}")


async def test_addresses_never_show_their_password() -> None:
    with pytest.raises(BusError) as caught:
        RedisBus("http://user:topsecret@host/")
    assert "topsecret" not in str(caught.value)
    bus = RedisBus("redis://user:topsecret@127.0.0.1:1/0")
    with pytest.raises(BusUnavailable) as away:
        await bus.publish(STREAM, b"x")
    assert "topsecret" not in str(away.value)
    await bus.close()


async def test_a_cancelled_reader_ends_whenever_it_is_cancelled(redis: Server) -> None:
    async with _bus(redis) as bus:

        async def read() -> None:
            while True:
                await bus.read("t:cancel", "g", "me", count=1, wait_s=0.004)

        for attempt in range(150):
            task = asyncio.create_task(read())
            await asyncio.sleep(0.0001 * (attempt % 80))
            task.cancel()
            await asyncio.wait({task}, timeout=5)
            assert task.cancelled()


async def test_a_server_that_says_nothing_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tradeloom.bus.redis.ANSWER_S", 0.2)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            if b"XLEN" not in data and b"XADD" not in data:
                writer.write(b"+OK\r\n" * data.count(b"*"))
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    bus = RedisBus(f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}/0")
    with pytest.raises(BusUnavailable):
        await bus.length(STREAM)
    with pytest.raises(OutcomeUnknown):
        await bus.publish(STREAM, b"x")
    await bus.close()
    server.close()


CHILD = """
import asyncio, sys
from tradeloom.bus import Consumer, RedisBus

async def main():
    bus = RedisBus(sys.argv[1])
    consumer = Consumer(bus, "md:test", "g", sys.argv[2], count=5, idle_s=0.2, claim_every_s=0.1)
    with open(sys.argv[3], "a") as store:
        while True:
            delivery = await consumer.next(0.1)
            for entry in delivery.entries:
                store.write(entry.data.decode() + "\\n")
            store.flush()
            await asyncio.sleep(0.002)
            await consumer.done(delivery.entries)

asyncio.run(main())
"""


async def test_a_killed_consumer_loses_nothing(own_redis: Server, tmp_path: Path) -> None:
    """kill -9 of consumer processes: what they had in hand is claimed, nothing is missing."""
    store = tmp_path / "stored"
    store.touch()

    def start(name: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-c", CHILD, own_redis.url, name, str(store)]
        return subprocess.Popen(command, env=os.environ | {"PYTHONPATH": "src"})

    def seen() -> set[str]:
        return set(store.read_text().split())

    async with _bus(own_redis) as bus:
        await bus.join(STREAM, "g")
        for first in range(0, 1_000, 100):
            await bus.publish_many(STREAM, [b"%d" % n for n in range(first, first + 100)])
        names = iter(("one", "two", "three"))
        child = start(next(names))
        try:
            for part in (0.25, 0.55):
                while len(seen()) < 1_000 * part:
                    assert child.poll() is None
                    await asyncio.sleep(0.01)
                child.send_signal(signal.SIGKILL)
                child.wait()
                child = start(next(names))
            async with asyncio.timeout(60):
                while (backlog := await bus.backlog(STREAM, "g")).pending or backlog.lag:
                    await asyncio.sleep(0.05)
        finally:
            child.kill()
            child.wait()
    assert seen() == {str(n) for n in range(1_000)}
