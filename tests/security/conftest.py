"""A front door on a real database, with cheap password hashes and a clock the test sets."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.store.conftest import postgres, postgres_url, url
from tradeloom.security import Door, Principal, Secrets, Security
from tradeloom.security.lockout import Lockout
from tradeloom.security.passwords import Passwords
from tradeloom.security.rates import DoorRates
from tradeloom.store import Database

__all__ = ["postgres", "postgres_url", "url"]

PASSWORD = "correct horse 1"  # noqa: S105
NS = 10**9


@dataclass
class Clock:
    """Time in seconds, moved by hand."""

    seconds: float = 1_750_000_000.0

    def ns(self) -> int:
        """UTC nanoseconds."""
        return int(self.seconds * NS)

    def __call__(self) -> float:
        """Seconds, for what counts in seconds."""
        return self.seconds


@dataclass
class House:
    """The door, what stands behind it, and the clock."""

    security: Security
    database: Database
    clock: Clock

    async def trader(self, login: str = "anna") -> Principal:
        """A new trader, signed in."""
        await self.security.sign_up(login, PASSWORD)
        tokens = await self.security.sign_in(login, PASSWORD)
        return await self.security.authenticate(tokens.access_token)

    async def admin(self) -> Principal:
        """The first admin, with a password of his own."""
        new = await self.security.people.first_admin()
        assert new is not None
        user = await self.security.people.find(new.login)
        await self.security.people.change_password(user.id, new.password, PASSWORD)
        tokens = await self.security.sign_in(new.login, PASSWORD)
        return await self.security.authenticate(tokens.access_token)


def cheap() -> Passwords:
    """Hashes that take a millisecond."""
    return Passwords(memory_kib=64, passes=1, lanes=1)


@pytest.fixture
async def house(url: str, tmp_path: Path) -> AsyncIterator[House]:
    """Once on SQLite, once on PostgreSQL."""
    clock = Clock()
    async with await Database.open(url) as database:
        door = Door(
            database,
            Secrets.load(tmp_path / "secrets.json", {}),
            passwords=cheap(),
            lockout=Lockout(clock),
            rates=DoorRates(
                sign_in_per_address="1000/minute",
                sign_in_per_login="1000/minute",
                sign_up_per_address="1000/minute",
            ),
            now=clock.ns,
        )
        yield House(Security(door), database, clock)
