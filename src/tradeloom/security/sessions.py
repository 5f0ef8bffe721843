"""Sessions: sign in, refresh, sign out, and who a token belongs to.

A session has one valid refresh token at a time. Using it gives a new one and makes the old one a
tripwire: when it comes again, either the thief or the owner was second, and the session ends.
"""

from __future__ import annotations

import secrets
from typing import Any, Final

import msgspec
from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from tradeloom.store import tables as t

from .door import NOBODY, Client, Door
from .errors import (
    BadCode,
    BadCredentials,
    BadToken,
    NotFound,
    SecondFactorNeeded,
    SecurityError,
    TokenReused,
)
from .limits import (
    ACCESS_TOKEN_S,
    ADDRESS_LENGTH_MAX,
    AGENT_LENGTH_MAX,
    ENDED_SESSION_KEPT_S,
    PASSWORD_LENGTH_MAX,
    SESSION_IDLE_S,
    SESSION_MAX_S,
    SESSIONS_MAX,
    TOKEN_CHARACTERS_MAX,
)
from .owners import accounts_of
from .people import known_login
from .rights import ONLY_PROFILE, Principal, Role, scopes_of
from .second_factor import SecondFactor
from .tokens import digest, new_refresh_token

_NS: Final = 10**9


class Tokens(msgspec.Struct, frozen=True):
    """What a client keeps; `expires_in_s` is about the access token."""

    access_token: str
    refresh_token: str
    expires_in_s: int
    user_id: int
    session: str
    must_change_password: bool


class SessionRow(msgspec.Struct, frozen=True, kw_only=True):
    """A session as its owner sees it; times in UTC nanoseconds."""

    id: str
    created: int
    used: int
    expires: int
    address: str
    agent: str


class Sessions:
    """The sessions of all users."""

    def __init__(self, door: Door, second_factor: SecondFactor) -> None:
        self._door = door
        self._second_factor = second_factor

    async def sign_in(
        self, login: str, password: str, *, code: str | None = None, client: Client = NOBODY
    ) -> Tokens:
        """Begin a session.

        Raises BadCredentials (the same for an unknown login, a wrong password and a disabled
        user, after the same work), SecondFactorNeeded, BadCode and TooMany.
        """
        door = self._door
        login = known_login(login)
        door.rates.sign_in(login, client.address)
        door.lockout.attempt(login, client.address)
        async with door.database.read() as connection:
            query = select(t.users).where(t.users.c.login == login)
            user = (await connection.execute(query)).first()
        hashed = None if user is None else user.password_hash
        right = len(password) <= PASSWORD_LENGTH_MAX and await door.passwords.verify(
            hashed, password
        )
        if not right or user is None or user.disabled:
            await self._refused("sign_in.refused", login, client)
            raise BadCredentials
        if user.totp_on:
            await self._check_code(user, code, client)
        door.lockout.succeeded(login, client.address)
        fresh = None
        if door.passwords.outdated(user.password_hash):
            fresh = await door.passwords.hash(password)
        async with door.database.write() as connection:
            if fresh is not None:
                change = update(t.users).where(
                    t.users.c.id == user.id, t.users.c.password_hash == user.password_hash
                )
                await connection.execute(change.values(password_hash=fresh))
            session = await self._begin(connection, user.id, client)
            refresh = await self._new_refresh_token(connection, session)
            await door.note(connection, user.id, "sign_in", login, client)
        return self._tokens(user, session, refresh)

    async def refresh(self, refresh_token: str, *, client: Client = NOBODY) -> Tokens:
        """New tokens for a refresh token, which is used up.

        Raises BadToken, TokenReused and TooMany.
        """
        door, now = self._door, self._door.now()
        door.rates.refresh(client.address)
        if len(refresh_token) > TOKEN_CHARACTERS_MAX:
            raise BadToken
        hashed = digest(refresh_token)
        problem: SecurityError | None = None
        async with door.database.write() as connection:
            row = (await connection.execute(_session_of(hashed))).first()
            if row is None or row.ended is not None or row.disabled:
                raise BadToken
            if row.expires < now:
                raise BadToken(expired=True)
            used = await connection.execute(
                update(t.refresh_tokens)
                .where(t.refresh_tokens.c.hash == hashed, t.refresh_tokens.c.used.is_(None))
                .values(used=now)
            )
            if used.rowcount != 1:
                await _end(connection, row.session_id, now)
                await door.note(connection, row.id, "refresh.reused", row.login, client)
                problem = TokenReused()
            else:
                expires = min(now + SESSION_IDLE_S * _NS, row.created_session + SESSION_MAX_S * _NS)
                change = update(t.sessions).where(t.sessions.c.id == row.session_id)
                await connection.execute(change.values(used=now, expires=expires))
                token = await self._new_refresh_token(connection, row.session_id)
        if problem is not None:  # raised outside, so that the session stays ended
            raise problem
        return self._tokens(row, row.session_id, token)

    async def sign_out(self, user_id: int, session: str, *, client: Client = NOBODY) -> None:
        """End a session of a user, his own current one or another; raises NotFound."""
        now = self._door.now()
        async with self._door.database.write() as connection:
            ended = await connection.execute(
                update(t.sessions)
                .where(
                    t.sessions.c.id == session,
                    t.sessions.c.user_id == user_id,
                    t.sessions.c.ended.is_(None),
                )
                .values(ended=now)
            )
            if ended.rowcount != 1:
                raise NotFound("session")
            await self._door.note(connection, user_id, "sign_out", session, client)

    async def listed(self, user_id: int) -> list[SessionRow]:
        """Sessions of a user that are alive, the last used first."""
        s = t.sessions
        query = (
            select(s)
            .where(s.c.user_id == user_id, s.c.ended.is_(None), s.c.expires > self._door.now())
            .order_by(s.c.used.desc())
        )
        async with self._door.database.read() as connection:
            rows = (await connection.execute(query)).all()
        return [
            SessionRow(
                id=row.id,
                created=row.created,
                used=row.used,
                expires=row.expires,
                address=row.address,
                agent=row.agent,
            )
            for row in rows
        ]

    async def authenticate(self, access_token: str) -> Principal:
        """Whom an access token belongs to, with the rights of this moment; raises BadToken."""
        now = self._door.now()
        claims = self._door.tokens.verify(access_token, now)
        async with self._door.database.read() as connection:
            query = (
                select(t.users, t.roles.c.scopes)
                .join(t.sessions, t.sessions.c.user_id == t.users.c.id)
                .join(t.roles, t.roles.c.role == t.users.c.role)
                .where(
                    t.sessions.c.id == claims.session,
                    t.sessions.c.user_id == claims.user_id,
                    t.sessions.c.ended.is_(None),
                    t.users.c.disabled.is_(False),
                )
            )
            row = (await connection.execute(query)).first()
            if row is None:
                raise BadToken
            accounts = await accounts_of(connection, row.id)
        scopes = scopes_of(row.role, row.scopes)
        return Principal(
            user_id=row.id,
            login=row.login,
            role=Role(row.role),
            scopes=ONLY_PROFILE if row.must_change_password else scopes,
            accounts=accounts,
            session=claims.session,
            expires=float(claims.expires),
            must_change_password=row.must_change_password,
        )

    async def tidy(self) -> int:
        """The daily job: forget sessions that ended long ago; returns how many."""
        old = self._door.now() - ENDED_SESSION_KEPT_S * _NS
        s = t.sessions
        gone = select(s.c.id).where((s.c.ended < old) | (s.c.expires < old))
        async with self._door.database.write() as connection:
            tokens = delete(t.refresh_tokens).where(t.refresh_tokens.c.session_id.in_(gone))
            await connection.execute(tokens)
            removed = await connection.execute(
                delete(s).where((s.c.ended < old) | (s.c.expires < old))
            )
            return removed.rowcount

    async def _check_code(self, user: Any, code: str | None, client: Client) -> None:
        if not code:
            raise SecondFactorNeeded
        async with self._door.database.write() as connection:
            accepted = await self._second_factor.accept(connection, user, code)
        if not accepted:
            await self._refused("sign_in.code_refused", user.login, client)
            raise BadCode

    async def _refused(self, action: str, login: str, client: Client) -> None:
        async with self._door.database.write() as connection:
            await self._door.note(connection, None, action, login, client)

    async def _begin(self, connection: AsyncConnection, user_id: int, client: Client) -> str:
        now, session, s = self._door.now(), secrets.token_hex(16), t.sessions
        alive = (
            select(s.c.id)
            .where(s.c.user_id == user_id, s.c.ended.is_(None))
            .order_by(s.c.used.desc())
            .offset(SESSIONS_MAX - 1)
            .limit(SESSIONS_MAX)
        )
        for row in (await connection.execute(alive)).all():
            await _end(connection, row.id, now)
        await connection.execute(
            insert(s).values(
                id=session,
                user_id=user_id,
                created=now,
                used=now,
                expires=now + SESSION_IDLE_S * _NS,
                address=client.address[:ADDRESS_LENGTH_MAX],
                agent=client.agent[:AGENT_LENGTH_MAX],
            )
        )
        return session

    async def _new_refresh_token(self, connection: AsyncConnection, session: str) -> str:
        token, hashed = new_refresh_token()
        await connection.execute(
            insert(t.refresh_tokens).values(
                hash=hashed, session_id=session, issued=self._door.now()
            )
        )
        return token

    def _tokens(self, user: Any, session: str, refresh: str) -> Tokens:
        return Tokens(
            access_token=self._door.tokens.issue(user.id, session, self._door.now()),
            refresh_token=refresh,
            expires_in_s=ACCESS_TOKEN_S,
            user_id=user.id,
            session=session,
            must_change_password=user.must_change_password,
        )


def _session_of(hashed: bytes) -> Any:
    r, s, u = t.refresh_tokens, t.sessions, t.users
    return (
        select(
            u.c.id,
            u.c.login,
            u.c.disabled,
            u.c.must_change_password,
            s.c.id.label("session_id"),
            s.c.created.label("created_session"),
            s.c.expires,
            s.c.ended,
        )
        .join(s, s.c.id == r.c.session_id)
        .join(u, u.c.id == s.c.user_id)
        .where(r.c.hash == hashed)
    )


async def _end(connection: AsyncConnection, session: str, now: int) -> None:
    await connection.execute(update(t.sessions).where(t.sessions.c.id == session).values(ended=now))
