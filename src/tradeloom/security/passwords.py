"""Passwords: Argon2id in threads, at most two at a time, and the rules a new one must keep."""

from __future__ import annotations

import asyncio
import secrets
import unicodedata
from collections.abc import Callable
from typing import Final, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from .errors import BadValue, TooMany
from .limits import (
    ARGON2_LANES,
    ARGON2_MEMORY_KIB,
    ARGON2_PASSES,
    BUSY_RETRY_S,
    GENERATED_PASSWORD_LENGTH,
    HASHES_AT_ONCE,
    HASHES_WAITING_MAX,
    PASSWORD_LENGTH_MAX,
    PASSWORD_LENGTH_MIN,
)

T = TypeVar("T")

# Without 0 O 1 l I and the like: it is read from a terminal and typed once.
_LETTERS: Final = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"


class Passwords:
    """Hashes and verifies; one per process, because the bound on memory is per process."""

    def __init__(
        self,
        *,
        memory_kib: int = ARGON2_MEMORY_KIB,
        passes: int = ARGON2_PASSES,
        lanes: int = ARGON2_LANES,
    ) -> None:
        self._hasher = PasswordHasher(time_cost=passes, memory_cost=memory_kib, parallelism=lanes)
        self._slots = asyncio.Semaphore(HASHES_AT_ONCE)
        self._waiting = 0
        self._nobody = ""

    async def hash(self, password: str) -> str:
        """The hash of a password, with its parameters and salt; raises TooMany when busy."""
        return await self._in_thread(self._hasher.hash, _normal(password))

    async def verify(self, hashed: str | None, password: str) -> bool:
        """True if the password is the hashed one; `hashed` None takes as long and is never true."""
        right = await self._in_thread(self._check, hashed or "", _normal(password))
        return right and hashed is not None

    def outdated(self, hashed: str) -> bool:
        """True if it was made with other parameters than today's."""
        return self._hasher.check_needs_rehash(hashed)

    def _check(self, hashed: str, password: str) -> bool:
        # What an unknown login is compared with, so that it takes as long as a known one. Made at
        # the first check, whoever it is for: then it tells nothing and costs the start nothing.
        self._nobody = self._nobody or self._hasher.hash(secrets.token_urlsafe())
        try:
            return self._hasher.verify(hashed or self._nobody, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _in_thread(self, work: Callable[..., T], *values: str) -> T:
        if self._waiting >= HASHES_WAITING_MAX:
            raise TooMany(BUSY_RETRY_S)
        self._waiting += 1
        try:
            async with self._slots:
                return await asyncio.to_thread(work, *values)
        finally:
            self._waiting -= 1


def check_new(password: str, login: str) -> None:
    """Raise BadValue for a password that is too short, too long or made of the login."""
    text = _normal(password)
    if len(text) < PASSWORD_LENGTH_MIN:
        raise BadValue("password", f"at least {PASSWORD_LENGTH_MIN} characters")
    if len(text) > PASSWORD_LENGTH_MAX:
        raise BadValue("password", f"at most {PASSWORD_LENGTH_MAX} characters")
    if len(set(text)) < PASSWORD_LENGTH_MIN // 2:
        raise BadValue("password", "too few different characters")
    if login.casefold() in text.casefold() and len(text) < len(login) + PASSWORD_LENGTH_MIN:
        raise BadValue("password", "it must not be made of the login")


def generate() -> str:
    """A password that nobody guesses."""
    return "".join(secrets.choice(_LETTERS) for _ in range(GENERATED_PASSWORD_LENGTH))


def _normal(password: str) -> str:
    """One form of the same characters, whatever keyboard they came from."""
    return unicodedata.normalize("NFKC", password)
