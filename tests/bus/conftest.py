"""Both buses for every test of the contract: the in-process one, and a Redis of our own."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator

import pytest

from tests.bus.server import NoServerError, Server, running
from tradeloom.bus import Bus, MemoryBus, RedisBus


@pytest.fixture(scope="session")
def redis() -> Iterator[Server]:
    """A running Redis for all tests of a worker; each uses streams of its own."""
    with contextlib.ExitStack() as stack:
        try:
            server = stack.enter_context(running())
        except NoServerError as error:
            pytest.skip(f"no Redis: {error}")
        yield server


@pytest.fixture
def own_redis() -> Iterator[Server]:
    """A Redis that the test may kill."""
    with contextlib.ExitStack() as stack:
        try:
            server = stack.enter_context(running(seed=1))
        except NoServerError as error:
            pytest.skip(f"no Redis: {error}")
        yield server


@pytest.fixture(params=["memory", "redis"])
async def bus(request: pytest.FixtureRequest) -> AsyncIterator[Bus]:
    """An open bus, once of each kind."""
    opened: Bus
    if request.param == "memory":
        opened = MemoryBus()
    else:
        opened = RedisBus(request.getfixturevalue("redis").url)
    yield opened
    await opened.close()


@pytest.fixture
def stream(request: pytest.FixtureRequest) -> str:
    """A stream of this test alone."""
    return f"t:{request.node.nodeid}"
