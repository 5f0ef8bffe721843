"""Log-in: codes, access tokens of 30 minutes, refresh tokens of 7 days."""

from __future__ import annotations

import base64
import binascii
import hmac
from typing import Final
from urllib.parse import urlencode

from tradeloom.simulators.dialect import Call, Reply, VenueDialect, json_reply
from tradeloom.simulators.keys import Credentials, seeded_text
from tradeloom.simulators.schwab.errors import DataError, TraderError, oauth_refusal

ACCESS_S: Final = 1_800
REFRESH_S: Final = 7 * 86_400
CODE_S: Final = 30


class Access:
    """Codes and tokens of one venue. A key's passphrase is its first refresh token."""

    def __init__(self, dialect: VenueDialect) -> None:
        self._dialect: Final = dialect
        self._codes: dict[str, tuple[Credentials, int]] = {}
        self._access: dict[str, tuple[Credentials, int]] = {}
        self._refresh: dict[str, tuple[Credentials, int]] = {}

    def let_in(self, credentials: Credentials) -> None:
        """A person logged in with this key: its refresh token holds for 7 days from now."""
        ends = self._dialect.clock.now_ns() + REFRESH_S * 10**9
        self._refresh[credentials.passphrase] = credentials, ends

    async def authorize(self, call: Call) -> Reply:
        """The log-in page: here every person agrees at once."""
        given = dict(call.query_pairs())
        found = self._dialect.keys.find(given.get("client_id", ""))
        if found is None or not given.get("redirect_uri"):
            return oauth_refusal(400, "invalid_request", "unknown client_id or no redirect_uri")
        code = f"C0.{self._word('code')}@"
        self._codes[code] = found, self._dialect.clock.now_ns() + CODE_S * 10**9
        query = urlencode({"code": code, "session": self._word("session")})
        return Reply(b"", 302, {"Location": f"{given['redirect_uri']}/?{query}"})

    async def token(self, call: Call) -> Reply:
        """Tokens for a code, or for a refresh token."""
        found = self._client(call)
        if found is None:
            return oauth_refusal(401, "invalid_client", "Unauthorized")
        given, now = dict(call.form_pairs()), self._dialect.clock.now_ns()
        grant = given.get("grant_type", "")
        if grant == "authorization_code":
            holder, ends = self._codes.pop(given.get("code", ""), (None, 0))
            if holder != found or ends < now:
                return oauth_refusal(400, "unsupported_token_type", "bad authorization code")
            refresh = self._word("refresh")
            self._refresh[refresh] = found, now + REFRESH_S * 10**9
        elif grant == "refresh_token":
            refresh = given.get("refresh_token", "")
            holder, ends = self._refresh.get(refresh, (None, 0))
            if holder is None or holder.key != found.key or ends < now:
                return oauth_refusal(400, "unsupported_token_type", "refresh token is not valid")
        else:
            return oauth_refusal(400, "unsupported_grant_type", "unknown grant_type")
        access = f"I0.{self._word('access')}@"
        if len(self._access) > 10_000:
            self._access.clear()
        self._access[access] = found, now + ACCESS_S * 10**9
        return json_reply(
            {
                "expires_in": ACCESS_S,
                "token_type": "Bearer",
                "scope": "api",
                "refresh_token": refresh,
                "access_token": access,
                "id_token": self._word("id"),
            }
        )

    def who(self, call: Call) -> Credentials:
        """The holder of the bearer token of a call."""
        kind, _, token = call.headers.get("Authorization", "").partition(" ")
        found = self.of_token(token) if kind == "Bearer" else None
        if found is None:
            if call.path.startswith("/marketdata"):
                raise DataError(401, "Unauthorized")
            raise TraderError(401, "Unauthorized")
        return found

    def of_token(self, token: str) -> Credentials | None:
        """The holder of an access token, while it holds."""
        found = self._access.get(token)
        if found is None or found[1] < self._dialect.clock.now_ns():
            return None
        return found[0]

    def expire_access(self) -> int:
        """End the access tokens; how many."""
        ended = len(self._access)
        self._access.clear()
        return ended

    def expire_login(self) -> int:
        """End the refresh tokens too: a person must log in again."""
        ended = len(self._refresh)
        self._refresh.clear()
        return ended + self.expire_access()

    def _client(self, call: Call) -> Credentials | None:
        kind, _, text = call.headers.get("Authorization", "").partition(" ")
        try:
            key, _, secret = base64.b64decode(text, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None
        found = self._dialect.keys.find(key) if kind == "Basic" else None
        if found is None or not hmac.compare_digest(found.secret, secret):
            return None
        return found

    def _word(self, what: str) -> str:
        return seeded_text(self._dialect.seed, what, str(self._dialect.next_number()))
