"""Two real databases for every test of the store: a SQLite file and a PostgreSQL of our own."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg  # type: ignore[import-untyped]
import pytest

from tests.store.server import NoServerError, running
from tradeloom.store import Database

_NUMBERS = itertools.count(1)


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The address of a running server."""
    with contextlib.ExitStack() as stack:
        try:
            server = stack.enter_context(running())
        except NoServerError as error:
            pytest.skip(f"no PostgreSQL: {error}")
        yield server.address


@pytest.fixture
async def postgres_url(postgres: str) -> str:
    """The address of a new, empty database."""
    connection = await asyncpg.connect(f"{postgres}/postgres")
    name = f"t{next(_NUMBERS)}"
    await connection.execute(f"CREATE DATABASE {name}")
    await connection.close()
    return f"{postgres}/{name}"


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a new database, once of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'tradeloom.db'}"
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    """An open database with all tables."""
    opened = await Database.open(url)
    yield opened
    await opened.close()
