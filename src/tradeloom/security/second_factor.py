"""The second factor: time-based codes (RFC 6238) and recovery codes that work once."""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from typing import Any, Final

import msgspec
import pyotp
from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from tradeloom.store import tables as t

from .door import NOBODY, Client, Door
from .errors import BadCode, BadCredentials, BadValue, NotFound
from .limits import RECOVERY_CODES, TOTP_STEP_S, TOTP_WINDOW
from .rights import Principal, may_manage

_ISSUER: Final = "Tradeloom"
_CODE: Final = re.compile(r"[0-9]{6}", re.ASCII)
_SECRET_BYTES: Final = 20  # RFC 4226: the length of an HMAC-SHA-1
_RECOVERY_BYTES: Final = 10  # 80 bits: sixteen base32 characters


class Enrolment(msgspec.Struct, frozen=True):
    """What an authenticator needs: `secret` in base32, and the same as an address for a QR code."""

    secret: str
    uri: str


class SecondFactor:
    """Turns the second factor of a user on and off."""

    def __init__(self, door: Door) -> None:
        self._door = door

    async def begin(self, user_id: int) -> Enrolment:
        """A new secret for an authenticator; nothing is asked for until `confirm`.

        Raises BadValue when it is on already, and NotFound.
        """
        secret = base64.b32encode(secrets.token_bytes(_SECRET_BYTES)).decode()
        async with self._door.database.write() as connection:
            user = await _row(connection, user_id)
            if user.totp_on:
                raise BadValue("second_factor", "it is on; turn it off first")
            sealed = self._door.seal.close(secret.encode(), _owner(user_id))
            await _set(connection, user_id, totp_secret=sealed, totp_on=False, totp_step=0)
        uri = pyotp.TOTP(secret).provisioning_uri(name=user.login, issuer_name=_ISSUER)
        return Enrolment(secret, uri)

    async def confirm(self, user_id: int, code: str, client: Client = NOBODY) -> list[str]:
        """Turn it on with a first code; returns the recovery codes, which are shown once.

        Raises BadValue when `begin` is missing, BadCode and TooMany.
        """
        async with self._door.database.read() as connection:
            user = await _row(connection, user_id)
        if user.totp_on or user.totp_secret is None:
            raise BadValue("second_factor", "begin again")
        self._door.lockout.attempt(user.login, client.address)
        codes = [_recovery_code() for _ in range(RECOVERY_CODES)]
        async with self._door.database.write() as connection:
            if not await self._used_code(connection, user, code):
                raise BadCode
            await _set(connection, user_id, totp_on=True)
            await connection.execute(
                delete(t.recovery_codes).where(t.recovery_codes.c.user_id == user_id)
            )
            await connection.execute(
                insert(t.recovery_codes),
                [{"hash": _recovery_hash(user_id, code), "user_id": user_id} for code in codes],
            )
            await self._door.note(connection, user_id, "second_factor.on", user.login, client)
        self._door.lockout.succeeded(user.login, client.address)
        return codes

    async def turn_off(self, user_id: int, password: str, client: Client = NOBODY) -> None:
        """Turn one's own off with the password; raises BadCredentials and TooMany."""
        async with self._door.database.read() as connection:
            user = await _row(connection, user_id)
        self._door.lockout.attempt(user.login, client.address)
        if not await self._door.passwords.verify(user.password_hash, password):
            raise BadCredentials
        self._door.lockout.succeeded(user.login, client.address)
        await self._remove(user_id, user_id, client)

    async def remove(
        self, user_id: int, *, actor: Principal | None, client: Client = NOBODY
    ) -> None:
        """Turn it off for somebody who lost it; raises NotFound and NotAllowed."""
        async with self._door.database.read() as connection:
            user = await _row(connection, user_id)
        may_manage(actor, user.role)
        await self._remove(user_id, None if actor is None else actor.user_id, client)

    async def _remove(self, user_id: int, actor: int | None, client: Client) -> None:
        async with self._door.database.write() as connection:
            user = await _row(connection, user_id)
            await _set(connection, user_id, totp_secret=None, totp_on=False)
            await connection.execute(
                delete(t.recovery_codes).where(t.recovery_codes.c.user_id == user_id)
            )
            await self._door.note(connection, actor, "second_factor.off", user.login, client)

    async def recovery_codes_left(self, user_id: int) -> int:
        """How many recovery codes still work."""
        query = select(t.recovery_codes.c.hash).where(t.recovery_codes.c.user_id == user_id)
        async with self._door.database.read() as connection:
            return len((await connection.execute(query)).all())

    async def accept(self, connection: AsyncConnection, user: Any, code: str) -> bool:
        """True if `code` is a fresh code or an unused recovery code of `user`; it is used up."""
        return await self._used_code(connection, user, code) or await _used_recovery(
            connection, user.id, code
        )

    async def _used_code(self, connection: AsyncConnection, user: Any, code: str) -> bool:
        text = code.strip().replace(" ", "")
        if not _CODE.fullmatch(text):
            return False
        secret = self._door.seal.open(user.totp_secret, _owner(user.id)).decode()
        totp, step_now = pyotp.TOTP(secret), self._door.now() // 10**9 // TOTP_STEP_S
        found = 0
        for step in range(step_now - TOTP_WINDOW, step_now + TOTP_WINDOW + 1):
            # All of them, so that the time does not say which one fits.
            if secrets.compare_digest(totp.generate_otp(step), text):
                found = step
        # The condition makes it one use even when two requests come at once.
        used = await connection.execute(
            update(t.users)
            .where(t.users.c.id == user.id, t.users.c.totp_step < found)
            .values(totp_step=found)
        )
        return bool(found and used.rowcount == 1)


async def _used_recovery(connection: AsyncConnection, user_id: int, code: str) -> bool:
    used = await connection.execute(
        delete(t.recovery_codes).where(t.recovery_codes.c.hash == _recovery_hash(user_id, code))
    )
    return used.rowcount == 1


async def _row(connection: AsyncConnection, user_id: int) -> Any:
    row = (await connection.execute(select(t.users).where(t.users.c.id == user_id))).first()
    if row is None:
        raise NotFound("user")
    return row


async def _set(connection: AsyncConnection, user_id: int, **values: object) -> None:
    await connection.execute(update(t.users).where(t.users.c.id == user_id).values(**values))


def _owner(user_id: int) -> str:
    return f"totp:{user_id}"


def _recovery_code() -> str:
    text = base64.b32encode(secrets.token_bytes(_RECOVERY_BYTES)).decode().lower()
    return "-".join(text[at : at + 4] for at in range(0, len(text), 4))


def _recovery_hash(user_id: int, code: str) -> bytes:
    plain = re.sub(r"[\s-]", "", code).lower()
    return hashlib.sha256(f"{user_id}:{plain}".encode()).digest()
