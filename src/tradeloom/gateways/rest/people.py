"""Routes of people: sign up, sign in, sessions, second factor, API keys, users and roles."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from tradeloom.gateways.limits import PAGE_ROWS_MAX
from tradeloom.gateways.problems import MEANINGS, ApiCode, Problem
from tradeloom.gateways.rest.answers import problems
from tradeloom.gateways.rest.gate import Gate, client_of, reply
from tradeloom.gateways.rest.models import Closed, Id, Time
from tradeloom.gateways.rest.orders import when
from tradeloom.gateways.rest.tables import CSV, AsCsv, pages
from tradeloom.gateways.wire import rfc3339
from tradeloom.security import Principal, Role, Scope, SessionRow, Tokens, User
from tradeloom.security.api_keys import ApiKeyRow
from tradeloom.security.rights import parse_scopes

Login = Annotated[str, Field(min_length=2, max_length=64, examples=["anna"])]
Secret = Annotated[
    str, Field(min_length=1, max_length=128, json_schema_extra={"format": "password"})
]
Code = Annotated[str, Field(min_length=6, max_length=32, description="Of the authenticator.")]
RoleName = Literal["trader", "manager", "dealer", "admin", "service"]
ScopeNames = Annotated[
    list[Annotated[str, Field(max_length=32)]], Field(min_length=1, max_length=32)
]
Cursor = Annotated[str | None, Query(max_length=128, description="`next` of the page before.")]
Limit = Annotated[int | None, Query(ge=1, le=PAGE_ROWS_MAX)]
UserId = Annotated[int, Path(ge=1, le=2**63 - 1)]


class SignUpIn(Closed):
    """A new trader."""

    login: Login
    password: Annotated[str, Field(min_length=10, max_length=128)]
    name: Annotated[str, Field(max_length=128)] = ""


class SignInIn(Closed):
    """Login and password; `code` when a second factor is on."""

    login: Annotated[str, Field(min_length=1, max_length=64)]
    password: Secret
    code: Code | None = None


class RefreshIn(Closed):
    """The refresh token, which is used up."""

    refresh_token: Annotated[str, Field(min_length=1, max_length=1024)]


class PasswordIn(Closed):
    """The old password and a new one."""

    old: Secret
    new: Annotated[str, Field(min_length=10, max_length=128)]


class CodeIn(Closed):
    """A code of the authenticator."""

    code: Code


class ConfirmIn(Closed):
    """The own password."""

    password: Secret


class KeyIn(Closed):
    """A new API key."""

    name: Annotated[str, Field(min_length=1, max_length=128)]
    scopes: ScopeNames
    expires: Annotated[str | None, Field(max_length=40, description="RFC 3339; none: never.")] = (
        None
    )


class NewUserIn(Closed):
    """A new user of any role."""

    login: Login
    password: Annotated[str, Field(min_length=10, max_length=128)]
    role: RoleName = "trader"
    name: Annotated[str, Field(max_length=128)] = ""


class UserIn(Closed):
    """What to change; null leaves it."""

    name: Annotated[str | None, Field(max_length=128)] = None
    role: RoleName | None = None
    disabled: bool | None = None


class RoleIn(Closed):
    """What the role may do."""

    scopes: ScopeNames


class TokensOut(BaseModel):
    """Tokens of a session."""

    access_token: str
    refresh_token: str
    token_type: Literal["Bearer"]
    expires_in: int = Field(description="Seconds until the access token expires.")
    user: int
    session: str
    must_change_password: bool


class UserOut(BaseModel):
    """A user."""

    id: Id
    login: str
    name: str
    role: RoleName
    disabled: bool
    must_change_password: bool
    second_factor: bool
    created: Time
    password_changed: Time


class MeOut(UserOut):
    """Who asks, and what it may do."""

    scopes: list[str]
    accounts: list[int]


class SessionOut(BaseModel):
    """A session; `current` is the one that asks."""

    id: str
    created: Time
    used: Time
    expires: Time
    address: str
    agent: str
    current: bool


class TotpOut(BaseModel):
    """What an authenticator needs."""

    secret: str
    uri: str


class CodesOut(BaseModel):
    """Recovery codes, shown this once."""

    recovery_codes: list[str]


class KeyOut(BaseModel):
    """An API key without the key."""

    prefix: str
    name: str
    scopes: list[str]
    created: Time
    expires: Time | None
    used: Time | None


class NewKeyOut(KeyOut):
    """A new API key; `key` is shown this once."""

    key: str


class PasswordOut(BaseModel):
    """A generated password, shown this once; it must be changed at sign-in."""

    password: str


class UsersOut(BaseModel):
    """A page of users."""

    items: list[UserOut]
    next: str | None


class RoleOut(BaseModel):
    """A role and what it may do."""

    role: RoleName
    scopes: list[str]


def router(gate: Gate) -> APIRouter:
    """The routes."""
    api = APIRouter(prefix="/api/v1", responses=problems())
    security = gate.security
    own = Depends(gate.need(Scope.PROFILE))
    sees = Depends(gate.need(Scope.USERS_READ))
    manages = Depends(gate.need(Scope.USERS_MANAGE))

    # ---- sign up, in and out -----------------------------------------------------------------

    @api.post("/auth/sign-up", tags=["auth"], response_model=UserOut, status_code=201)
    async def sign_up(body: SignUpIn, request: Request) -> Response:
        """Become a trader."""
        if not gate.about["signup"]:
            raise Problem(403, ApiCode.SIGN_UP_CLOSED, MEANINGS[ApiCode.SIGN_UP_CLOSED])
        made = await security.sign_up(
            body.login, body.password, name=body.name, client=client_of(request)
        )
        return reply(user(made), 201)

    @api.post("/auth/sign-in", tags=["auth"], response_model=TokensOut)
    async def sign_in(body: SignInIn, request: Request) -> Response:
        """Begin a session."""
        made = await security.sign_in(
            body.login, body.password, code=body.code, client=client_of(request)
        )
        return reply(tokens(made))

    @api.post("/auth/refresh", tags=["auth"], response_model=TokensOut)
    async def refresh(body: RefreshIn, request: Request) -> Response:
        """New tokens for a refresh token. Using one twice ends the session."""
        return reply(tokens(await security.refresh(body.refresh_token, client=client_of(request))))

    @api.post("/me/sign-out", tags=["me"], status_code=204, response_class=Response)
    async def sign_out(request: Request, caller: Principal = own) -> Response:
        """End this session."""
        await security.sign_out(caller, client=client_of(request))
        gate.callers.forget()
        return Response(status_code=204)

    # ---- me ----------------------------------------------------------------------------------

    @api.get("/me", tags=["me"], response_model=MeOut)
    async def me(caller: Principal = own) -> Response:
        """Who asks, and what it may do."""
        found = user(await security.me(caller))
        scopes = sorted(scope.value for scope in caller.scopes)
        return reply(found | {"scopes": scopes, "accounts": sorted(caller.accounts)})

    @api.post("/me/password", tags=["me"], status_code=204, response_class=Response)
    async def change_password(
        body: PasswordIn, request: Request, caller: Principal = own
    ) -> Response:
        """Change the own password; every other session ends."""
        await security.people.change_password(
            caller.user_id,
            body.old,
            body.new,
            keep_session=caller.session,
            client=client_of(request),
        )
        gate.callers.forget()
        return Response(status_code=204)

    @api.get("/me/sessions", tags=["me"], response_model=list[SessionOut])
    async def list_sessions(caller: Principal = own) -> Response:
        """The own sessions that are alive."""
        found = await security.sessions.listed(caller.user_id)
        return reply([session(each, caller) for each in found])

    @api.delete("/me/sessions/{session_id}", tags=["me"], status_code=204, response_class=Response)
    async def end_session(
        session_id: Annotated[str, Path(min_length=1, max_length=64)],
        request: Request,
        caller: Principal = own,
    ) -> Response:
        """End one of the own sessions."""
        await security.sessions.sign_out(caller.user_id, session_id, client=client_of(request))
        gate.callers.forget()
        return Response(status_code=204)

    @api.post("/me/second-factor", tags=["me"], response_model=TotpOut)
    async def begin_second_factor(caller: Principal = own) -> Response:
        """Begin to set a second factor up: a secret for the authenticator."""
        made = await security.enable_totp(caller)
        return reply({"secret": made.secret, "uri": made.uri})

    @api.post("/me/second-factor/confirm", tags=["me"], response_model=CodesOut)
    async def confirm_second_factor(
        body: CodeIn, request: Request, caller: Principal = own
    ) -> Response:
        """Turn the second factor on with a first code."""
        codes = await security.second_factor.confirm(caller.user_id, body.code, client_of(request))
        return reply({"recovery_codes": codes})

    @api.post("/me/second-factor/turn-off", tags=["me"], status_code=204, response_class=Response)
    async def turn_off_second_factor(
        body: ConfirmIn, request: Request, caller: Principal = own
    ) -> Response:
        """Turn the second factor off."""
        await security.second_factor.turn_off(caller.user_id, body.password, client_of(request))
        return Response(status_code=204)

    @api.get("/me/keys", tags=["keys"], response_model=list[KeyOut])
    async def list_keys(caller: Principal = own) -> Response:
        """The own API keys."""
        return reply([key(each) for each in await security.api_keys.listed(caller.user_id)])

    @api.post("/me/keys", tags=["keys"], response_model=NewKeyOut, status_code=201)
    async def create_key(body: KeyIn, request: Request, caller: Principal = own) -> Response:
        """A key for a program, with at most the own scopes."""
        made = await security.create_api_key(
            caller,
            body.name,
            body.scopes,
            expires=when(body.expires, "expires") or None,
            client=client_of(request),
        )
        return reply(key(made.row) | {"key": made.key}, 201)

    @api.delete("/me/keys/{prefix}", tags=["keys"], status_code=204, response_class=Response)
    async def end_key(
        prefix: Annotated[str, Path(min_length=1, max_length=32)],
        request: Request,
        caller: Principal = own,
    ) -> Response:
        """End one of the own keys."""
        await security.api_keys.end(caller.user_id, prefix, client=client_of(request))
        gate.callers.forget()
        return Response(status_code=204)

    # ---- users and roles ---------------------------------------------------------------------

    @api.get("/users", tags=["users"], response_model=UsersOut, responses=CSV)
    async def list_users(
        csv: AsCsv,
        q: Annotated[str, Query(max_length=64, description="Part of login or name.")] = "",
        role: RoleName | None = None,
        cursor: Cursor = None,
        limit: Limit = None,
        caller: Principal = sees,
    ) -> Response:
        """Users, newest first."""

        async def listed(at: str | None, size: int | None) -> tuple[list[Any], str | None]:
            found = await security.people.listed(text=q, role=role, cursor=at, limit=size)
            return [user(each) for each in found.items], found.next

        return await pages(csv, "users", UserOut, listed, cursor, limit)

    @api.post("/users", tags=["users"], response_model=UserOut, status_code=201)
    async def create_user(
        body: NewUserIn, request: Request, caller: Principal = manages
    ) -> Response:
        """A new user, who must change the password at sign-in."""
        made = await security.people.create(
            body.login,
            body.password,
            body.role,
            name=body.name,
            must_change_password=True,
            actor=caller,
            client=client_of(request),
        )
        return reply(user(made), 201)

    @api.get("/users/{user_id}", tags=["users"], response_model=UserOut)
    async def get_user(user_id: UserId, caller: Principal = sees) -> Response:
        """One user."""
        return reply(user(await security.people.get(user_id)))

    @api.patch("/users/{user_id}", tags=["users"], response_model=UserOut)
    async def change_user(
        user_id: UserId, body: UserIn, request: Request, caller: Principal = manages
    ) -> Response:
        """Change name, role or whether a user may sign in."""
        made = await security.people.change(
            user_id,
            actor=caller,
            name=body.name,
            role=body.role,
            disabled=body.disabled,
            client=client_of(request),
        )
        gate.callers.forget()
        return reply(user(made))

    @api.post("/users/{user_id}/password", tags=["users"], response_model=PasswordOut)
    async def reset_password(
        user_id: UserId, request: Request, caller: Principal = manages
    ) -> Response:
        """Give a user a new password that must be changed at sign-in."""
        made = await security.people.reset_password(
            user_id, actor=caller, client=client_of(request)
        )
        gate.callers.forget()
        return reply({"password": made})

    @api.delete(
        "/users/{user_id}/second-factor", tags=["users"], status_code=204, response_class=Response
    )
    async def remove_second_factor(
        user_id: UserId, request: Request, caller: Principal = manages
    ) -> Response:
        """Turn the second factor of somebody off who lost it."""
        await security.second_factor.remove(user_id, actor=caller, client=client_of(request))
        return Response(status_code=204)

    @api.get("/roles", tags=["users"], response_model=list[RoleOut])
    async def list_roles(caller: Principal = sees) -> Response:
        """Roles and what they may do."""
        found = await security.people.roles()
        return reply([role(each, scopes) for each, scopes in found.items()])

    @api.put("/roles/{name}", tags=["users"], response_model=RoleOut)
    async def set_role(
        name: RoleName, body: RoleIn, request: Request, caller: Principal = manages
    ) -> Response:
        """Say anew what a role may do."""
        scopes = parse_scopes(body.scopes)
        await security.people.set_role(Role(name), scopes, actor=caller, client=client_of(request))
        gate.callers.forget()
        return reply(role(Role(name), scopes))

    return api


def user(each: User) -> dict[str, Any]:
    """A user on the wire."""
    return {
        "id": each.id,
        "login": each.login,
        "name": each.name,
        "role": each.role.value,
        "disabled": each.disabled,
        "must_change_password": each.must_change_password,
        "second_factor": each.second_factor,
        "created": rfc3339(each.created),
        "password_changed": rfc3339(each.password_changed),
    }


def tokens(made: Tokens) -> dict[str, Any]:
    """Tokens on the wire, with the names of OAuth."""
    return {
        "access_token": made.access_token,
        "refresh_token": made.refresh_token,
        "token_type": "Bearer",
        "expires_in": made.expires_in_s,
        "user": made.user_id,
        "session": made.session,
        "must_change_password": made.must_change_password,
    }


def session(each: SessionRow, caller: Principal) -> dict[str, Any]:
    """A session on the wire."""
    return {
        "id": each.id,
        "created": rfc3339(each.created),
        "used": rfc3339(each.used),
        "expires": rfc3339(each.expires),
        "address": each.address,
        "agent": each.agent,
        "current": each.id == caller.session,
    }


def key(each: ApiKeyRow) -> dict[str, Any]:
    """A key on the wire."""
    return {
        "prefix": each.prefix,
        "name": each.name,
        "scopes": each.scopes,
        "created": rfc3339(each.created),
        "expires": None if each.expires is None else rfc3339(each.expires),
        "used": None if each.used is None else rfc3339(each.used),
    }


def role(name: Role, scopes: frozenset[Scope]) -> dict[str, Any]:
    """A role on the wire."""
    return {"role": name.value, "scopes": sorted(scope.value for scope in scopes)}
