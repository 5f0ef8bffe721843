"""Real servers for the market plane's tests: PostgreSQL, and both buses."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import AsyncIterator, Iterator

import asyncpg  # type: ignore[import-untyped]
import pytest

from tests.bus import server as redis_server
from tests.store import server as postgres_server
from tradeloom.bus import Bus, MemoryBus, RedisBus

_NUMBERS = itertools.count(1)


@pytest.fixture(scope="session")
def postgres() -> Iterator[postgres_server.Server]:
    """A running PostgreSQL."""
    with contextlib.ExitStack() as stack:
        try:
            server = stack.enter_context(postgres_server.running(5_000))
        except postgres_server.NoServerError as error:
            pytest.skip(f"no PostgreSQL: {error}")
        yield server


@pytest.fixture
async def postgres_url(postgres: postgres_server.Server) -> str:
    """The address of a new, empty database."""
    connection = await asyncpg.connect(f"{postgres.address}/postgres")
    name = f"m{next(_NUMBERS)}"
    await connection.execute(f"CREATE DATABASE {name}")
    await connection.close()
    return f"{postgres.address}/{name}"


@pytest.fixture(scope="session")
def redis() -> Iterator[redis_server.Server]:
    """A running Redis."""
    with contextlib.ExitStack() as stack:
        try:
            server = stack.enter_context(redis_server.running(seed=7))
        except redis_server.NoServerError as error:
            pytest.skip(f"no Redis: {error}")
        yield server


@pytest.fixture(params=["memory", "redis"])
async def bus(request: pytest.FixtureRequest) -> AsyncIterator[Bus]:
    """An open, empty bus, once of each kind."""
    opened: Bus
    if request.param == "memory":
        opened = MemoryBus()
    else:
        opened = RedisBus(request.getfixturevalue("redis").url)
        await opened._redis.flushall()
    yield opened
    await opened.close()
