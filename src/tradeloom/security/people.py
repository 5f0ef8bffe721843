"""Users: sign up, look up, change, and the first admin of a new installation."""

from __future__ import annotations

import re
import unicodedata
from typing import Any, Final

import msgspec
from sqlalchemy import func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from tradeloom.store import tables as t
from tradeloom.store.cursors import Page, decode, page, rows_of

from .door import NOBODY, Client, Door
from .errors import BadCredentials, BadValue, NotFound, Taken
from .limits import LOGIN_LENGTH_MAX, LOGIN_LENGTH_MIN, NAME_LENGTH_MAX
from .passwords import check_new, generate
from .rights import Principal, Role, Scope, may_manage, parse_role, scopes_of

_LOGIN: Final = re.compile(r"[a-z0-9](?:[a-z0-9._@+-]*[a-z0-9])?")
FIRST_ADMIN: Final = "admin"
NOT_A_LOGIN: Final = "(not a login)"
_LISTING: Final = "users"


class User(msgspec.Struct, frozen=True, kw_only=True):
    """A user without anything secret; times in UTC nanoseconds."""

    id: int
    login: str
    name: str
    role: Role
    disabled: bool
    must_change_password: bool
    second_factor: bool
    created: int
    password_changed: int


class NewAdmin(msgspec.Struct, frozen=True):
    """Credentials to print once; they are stored nowhere."""

    login: str
    password: str


class People:
    """The users of an installation."""

    def __init__(self, door: Door) -> None:
        self._door = door

    async def sign_up(
        self, login: str, password: str, *, name: str = "", client: Client = NOBODY
    ) -> User:
        """A new trader, by himself; raises BadValue, Taken, TooMany."""
        self._door.rates.sign_up(client.address)
        return await self.create(login, password, Role.TRADER, name=name, client=client)

    async def create(
        self,
        login: str,
        password: str,
        role: Role | str = Role.TRADER,
        *,
        name: str = "",
        must_change_password: bool = False,
        actor: Principal | None = None,
        client: Client = NOBODY,
    ) -> User:
        """A new user, by `actor` (None: by the system); raises BadValue, Taken and NotAllowed."""
        login, role = normal_login(login), parse_role(role)
        may_manage(actor, role)
        check_new(password, login)
        hashed = await self._door.passwords.hash(password)
        now = self._door.now()
        try:
            async with self._door.database.write() as connection:
                made = await connection.execute(
                    insert(t.users).values(
                        login=login,
                        name=_name(name),
                        role=role.value,
                        password_hash=hashed,
                        must_change_password=must_change_password,
                        disabled=False,
                        totp_on=False,
                        totp_step=0,
                        created=now,
                        password_changed=now,
                    )
                )
                user_id = int((made.inserted_primary_key or (0,))[0])
                by = user_id if actor is None else actor.user_id
                await self._door.note(
                    connection, by, "user.create", login, client, {"role": role.value}
                )
                return await _user(connection, user_id)
        except IntegrityError:
            raise Taken from None

    async def first_admin(self, login: str = FIRST_ADMIN) -> NewAdmin | None:
        """Make the first admin of a new installation; None when there is one already.

        The password is returned once, stored only as a hash, and must be changed at first use.
        """
        async with self._door.database.read() as connection:
            query = select(func.count()).where(t.users.c.role == Role.ADMIN.value)
            if (await connection.execute(query)).scalar_one():
                return None
        password = generate()
        try:
            await self.create(login, password, Role.ADMIN, must_change_password=True)
        except Taken:  # another process was first
            return None
        return NewAdmin(login, password)

    async def get(self, user_id: int) -> User:
        """One user; raises NotFound."""
        async with self._door.database.read() as connection:
            return await _user(connection, user_id)

    async def find(self, login: str) -> User:
        """The user of a login; raises NotFound."""
        async with self._door.database.read() as connection:
            query = select(t.users.c.id).where(t.users.c.login == known_login(login))
            user_id = (await connection.execute(query)).scalar()
            if user_id is None:
                raise NotFound("user")
            return await _user(connection, user_id)

    async def listed(
        self,
        *,
        text: str = "",
        role: Role | str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> Page[User]:
        """Users, newest first, all or with `text` in login or name; raises BadCursor, BadValue."""
        u, size = t.users, rows_of(limit)
        query = select(u).order_by(u.c.id.desc()).limit(size + 1)
        if text := text.replace("\0", ""):
            login = u.c.login.contains(text.lower(), autoescape=True)
            query = query.where(or_(login, u.c.name.icontains(text, autoescape=True)))
        if role is not None:
            query = query.where(u.c.role == parse_role(role).value)
        if cursor is not None:
            query = query.where(t.users.c.id < decode(_LISTING, cursor, 1)[0])
        async with self._door.database.read() as connection:
            rows = (await connection.execute(query)).all()
        return page(_LISTING, rows, size, _shown, lambda row: (row.id,))

    async def change(
        self,
        user_id: int,
        *,
        actor: Principal,
        name: str | None = None,
        role: Role | str | None = None,
        disabled: bool | None = None,
        client: Client = NOBODY,
    ) -> User:
        """Change what is given; a disabled user's sessions end.

        Raises NotFound, BadValue and NotAllowed.
        """
        values: dict[str, Any] = {}
        if name is not None:
            values["name"] = _name(name)
        if role is not None:
            values["role"] = parse_role(role).value
        if disabled is not None:
            values["disabled"] = disabled
        async with self._door.database.write() as connection:
            before = await _user(connection, user_id)
            may_manage(actor, before.role, values.get("role", before.role))
            if before.role is Role.ADMIN and (disabled or values.get("role", "admin") != "admin"):
                await _keep_an_admin(connection, user_id)
            if values:
                change = update(t.users).where(t.users.c.id == user_id).values(**values)
                await connection.execute(change)
                if disabled:
                    await end_sessions(connection, user_id, self._door.now())
                await self._door.note(
                    connection, actor.user_id, "user.change", before.login, client, values
                )
            return await _user(connection, user_id)

    async def change_password(
        self,
        user_id: int,
        old: str,
        new: str,
        *,
        keep_session: str = "",
        client: Client = NOBODY,
    ) -> None:
        """Change one's own password; every other session ends.

        Raises BadCredentials for a wrong old one, BadValue for a bad new one, and TooMany.
        """
        async with self._door.database.read() as connection:
            user = (
                await connection.execute(select(t.users).where(t.users.c.id == user_id))
            ).first()
        if user is None:
            raise NotFound("user")
        self._door.lockout.attempt(user.login, client.address)
        if not await self._door.passwords.verify(user.password_hash, old):
            raise BadCredentials
        self._door.lockout.succeeded(user.login, client.address)
        check_new(new, user.login)
        if new == old:
            raise BadValue("password", "it must differ from the old one")
        await self._set_password(user_id, new, False, user_id, keep_session, client)

    async def reset_password(
        self, user_id: int, *, actor: Principal | None, client: Client = NOBODY
    ) -> str:
        """Give a user a generated password that must be changed at sign-in.

        Raises NotFound and NotAllowed.
        """
        may_manage(actor, (await self.get(user_id)).role)
        password, by = generate(), None if actor is None else actor.user_id
        await self._set_password(user_id, password, True, by, "", client)
        return password

    async def _set_password(
        self,
        user_id: int,
        password: str,
        must_change: bool,
        actor: int | None,
        keep_session: str,
        client: Client,
    ) -> None:
        hashed, now = await self._door.passwords.hash(password), self._door.now()
        async with self._door.database.write() as connection:
            user = await _user(connection, user_id)
            await connection.execute(
                update(t.users)
                .where(t.users.c.id == user_id)
                .values(
                    password_hash=hashed, must_change_password=must_change, password_changed=now
                )
            )
            await end_sessions(connection, user_id, now, keep_session)
            await self._door.note(connection, actor, "user.password", user.login, client)

    async def roles(self) -> dict[Role, frozenset[Scope]]:
        """What each role may do."""
        async with self._door.database.read() as connection:
            rows = (await connection.execute(select(t.roles))).all()
        return {Role(row.role): scopes_of(row.role, row.scopes) for row in rows}

    async def set_role(
        self, role: Role, scopes: frozenset[Scope], *, actor: Principal, client: Client = NOBODY
    ) -> None:
        """Say anew what a role may do; admin cannot be changed (BadValue). Raises NotAllowed."""
        actor.need(Scope.ROLES_MANAGE)
        if role is Role.ADMIN:
            raise BadValue("role", "admin has every scope")
        text = " ".join(scope.value for scope in Scope if scope in scopes)
        async with self._door.database.write() as connection:
            change = update(t.roles).where(t.roles.c.role == role.value).values(scopes=text)
            await connection.execute(change)
            await self._door.note(
                connection, actor.user_id, "role.change", role.value, client, {"scopes": text}
            )


def normal_login(login: str) -> str:
    """A login as it is stored; raises BadValue."""
    text = unicodedata.normalize("NFKC", login).strip().lower()
    if not LOGIN_LENGTH_MIN <= len(text) <= LOGIN_LENGTH_MAX:
        raise BadValue("login", f"{LOGIN_LENGTH_MIN} to {LOGIN_LENGTH_MAX} characters")
    if not _LOGIN.fullmatch(text):
        raise BadValue("login", "letters a-z, digits and . _ @ + - inside")
    return text


def known_login(login: str) -> str:
    """A login as somebody gave it to sign in; what cannot be one becomes one nobody has.

    So nothing odd reaches the database or the audit log, such as a password in the wrong field.
    """
    try:
        return normal_login(login)
    except BadValue:
        return NOT_A_LOGIN


async def end_sessions(
    connection: AsyncConnection, user_id: int, now: int, keep_session: str = ""
) -> None:
    """End every session of a user but one."""
    await connection.execute(
        update(t.sessions)
        .where(
            t.sessions.c.user_id == user_id,
            t.sessions.c.ended.is_(None),
            t.sessions.c.id != keep_session,
        )
        .values(ended=now)
    )


async def _user(connection: AsyncConnection, user_id: int) -> User:
    row = (await connection.execute(select(t.users).where(t.users.c.id == user_id))).first()
    if row is None:
        raise NotFound("user")
    return _shown(row)


async def _keep_an_admin(connection: AsyncConnection, user_id: int) -> None:
    query = select(func.count()).where(
        t.users.c.role == Role.ADMIN.value,
        t.users.c.disabled.is_(False),
        t.users.c.id != user_id,
    )
    if not (await connection.execute(query)).scalar_one():
        raise BadValue("role", "the last admin must stay one")


def _name(name: str) -> str:
    text = unicodedata.normalize("NFC", name).strip()
    if len(text) > NAME_LENGTH_MAX or not text.isprintable():
        raise BadValue("name", f"at most {NAME_LENGTH_MAX} printable characters")
    return text


def _shown(row: Any) -> User:
    return User(
        id=row.id,
        login=row.login,
        name=row.name,
        role=Role(row.role),
        disabled=row.disabled,
        must_change_password=row.must_change_password,
        second_factor=row.totp_on,
        created=row.created,
        password_changed=row.password_changed,
    )
