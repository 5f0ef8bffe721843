"""The front door in one place: what gateways call.

security = Security(Door(database, Secrets.load(data / "secrets.json")))
admin = await security.people.first_admin()         # once: print it
tokens = await security.sign_in(login, password, client=Client(address, agent))
principal = await security.authenticate(tokens.access_token)    # or an API key
principal.need(Scope.TRADE)
"""

from __future__ import annotations

from collections.abc import Iterable

from .api_keys import ApiKeys, NewApiKey
from .door import NOBODY, Client, Door
from .owners import Owners
from .people import People, User
from .rights import Principal
from .second_factor import Enrolment, SecondFactor
from .sessions import Sessions, Tokens
from .tokens import KEY_PREFIX
from .vault import Vault


class Security:
    """Sign up, sign in, and who is asking; the parts do the rest.

    `people`, `sessions`, `second_factor`, `api_keys`, `owners`, `vault` have what is not here.
    """

    def __init__(self, door: Door) -> None:
        self.door = door
        self.people = People(door)
        self.second_factor = SecondFactor(door)
        self.sessions = Sessions(door, self.second_factor)
        self.api_keys = ApiKeys(door)
        self.owners = Owners(door)
        self.vault = Vault(door)

    async def sign_up(
        self, login: str, password: str, *, name: str = "", client: Client = NOBODY
    ) -> User:
        """A new trader; raises BadValue, Taken and TooMany."""
        return await self.people.sign_up(login, password, name=name, client=client)

    async def sign_in(
        self, login: str, password: str, *, code: str | None = None, client: Client = NOBODY
    ) -> Tokens:
        """Begin a session; see `Sessions.sign_in` for what it raises."""
        return await self.sessions.sign_in(login, password, code=code, client=client)

    async def refresh(self, refresh_token: str, *, client: Client = NOBODY) -> Tokens:
        """Exchange a refresh token; raises BadToken, TokenReused and TooMany."""
        return await self.sessions.refresh(refresh_token, client=client)

    async def sign_out(self, principal: Principal, *, client: Client = NOBODY) -> None:
        """End the session the caller came with; raises NotFound for a caller with a key."""
        await self.sessions.sign_out(principal.user_id, principal.session, client=client)

    async def me(self, principal: Principal) -> User:
        """The user who asks."""
        return await self.people.get(principal.user_id)

    async def enable_totp(self, principal: Principal) -> Enrolment:
        """Begin to set a second factor up; `second_factor.confirm` turns it on."""
        return await self.second_factor.begin(principal.user_id)

    async def create_api_key(
        self,
        principal: Principal,
        name: str,
        scopes: Iterable[str],
        *,
        expires: int | None = None,
        client: Client = NOBODY,
    ) -> NewApiKey:
        """A key for a program of the caller; raises BadValue and NotAllowed."""
        return await self.api_keys.create(principal, name, scopes, expires=expires, client=client)

    async def authenticate(self, credential: str) -> Principal:
        """Whom an access token or an API key belongs to; raises BadToken."""
        if credential.startswith(KEY_PREFIX):
            return await self.api_keys.authenticate(credential)
        return await self.sessions.authenticate(credential)
