"""What every part of the front door shares: database, keys, clock, and the bounds on guessing."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from tradeloom.store import Database, audit

from .lockout import Lockout
from .passwords import Passwords
from .rates import DoorRates
from .sealing import Seal
from .secret_file import Secrets
from .tokens import AccessTokens


@dataclass(frozen=True, slots=True)
class Client:
    """Where a request comes from, as far as we know; told in the audit log and to the user."""

    address: str = ""
    agent: str = ""


NOBODY = Client()


@dataclass(slots=True)
class Door:
    """The shared parts; `now` gives UTC nanoseconds."""

    database: Database
    secrets: Secrets
    passwords: Passwords = field(default_factory=Passwords)
    lockout: Lockout = field(default_factory=Lockout)
    rates: DoorRates = field(default_factory=DoorRates)
    now: Callable[[], int] = time.time_ns

    @property
    def tokens(self) -> AccessTokens:
        """Signs and verifies access tokens with the keys of today."""
        return AccessTokens(self.secrets.tokens)

    @property
    def seal(self) -> Seal:
        """Encrypts for the database with the keys of today."""
        return Seal(self.secrets.seal)

    async def note(
        self,
        connection: AsyncConnection,
        actor: int | None,
        action: str,
        target: str,
        client: Client,
        detail: Mapping[str, Any] | None = None,
    ) -> None:
        """A row of the audit log, in the transaction of what it tells about."""
        await audit.append(
            connection,
            ts=self.now(),
            actor=actor,
            action=action,
            target=target,
            address=client.address,
            detail=detail,
        )
