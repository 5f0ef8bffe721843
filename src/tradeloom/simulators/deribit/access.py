"""Who is asking: key and secret, signatures with their times, tokens and their ends."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from typing import Any, Final

from tradeloom.simulators.deribit.errors import RpcFailure
from tradeloom.simulators.dialect import Call, VenueDialect
from tradeloom.simulators.keys import Credentials, seeded_text
from tradeloom.simulators.sessions import Session

TOKEN_S: Final = 900
# How far a signature's time may be from the venue's. Not published; a minute each way.
SKEW_MS: Final = 60_000


class Access:
    """Tokens of one venue."""

    def __init__(self, dialect: VenueDialect) -> None:
        self._dialect: Final = dialect
        self._tokens: dict[str, tuple[Credentials, int]] = {}
        self._refresh: dict[str, Credentials] = {}

    def sign_in(self, params: Mapping[str, Any], session: Session | None) -> dict[str, Any]:
        """public/auth."""
        grant = str(params.get("grant_type", ""))
        if grant == "client_credentials":
            found = self._key(str(params.get("client_id", "")))
            if not hmac.compare_digest(found.secret, str(params.get("client_secret", ""))):
                raise RpcFailure(13004)
        elif grant == "client_signature":
            found = self._signed(params)
        elif grant == "refresh_token":
            refreshed = self._refresh.pop(str(params.get("refresh_token", "")), None)
            if refreshed is None:
                raise RpcFailure(13009, "invalid refresh token")
            found = refreshed
        else:
            raise RpcFailure(-32602, "invalid grant type", "grant_type")
        if session is not None:
            session.credentials = found
        number = str(self._dialect.next_number())
        access, refresh = (
            f"{self._dialect.clock.now_ms()}.{seeded_text(self._dialect.seed, kind, number)}"
            for kind in ("access", "refresh")
        )
        if len(self._tokens) > 10_000:
            self._tokens.clear()
            self._refresh.clear()
        self._tokens[access] = (found, self._dialect.clock.now_ns() + TOKEN_S * 10**9)
        self._refresh[refresh] = found
        right = "read_write" if "trade" in found.scopes else "read"
        return {
            "access_token": access,
            "refresh_token": refresh,
            "expires_in": TOKEN_S,
            "token_type": "bearer",
            "scope": f"account:{right} trade:{right} wallet:read connection mainaccount",
        }

    def of_token(self, token: str) -> Credentials:
        """Who holds an access token; raises 13009."""
        found = self._tokens.get(token)
        if found is None or found[1] < self._dialect.clock.now_ns():
            raise RpcFailure(13009, "invalid_token")
        return found[0]

    def of_call(self, call: Call) -> Credentials | None:
        """Who makes an HTTP call; raises 13004 or 13009 for a header that does not hold."""
        header = call.headers.get("Authorization", "")
        kind, _, rest = header.partition(" ")
        if kind.lower() == "bearer":
            return self.of_token(rest.strip())
        if kind.lower() == "basic":
            try:
                name, _, secret = base64.b64decode(rest, validate=True).decode().partition(":")
            except (binascii.Error, UnicodeDecodeError):
                raise RpcFailure(13004) from None
            found = self._key(name)
            if not hmac.compare_digest(found.secret, secret):
                raise RpcFailure(13004)
            return found
        if kind == "deri-hmac-sha256":
            parts = dict(part.strip().partition("=")[::2] for part in rest.split(","))
            uri = f"/{call.path.lstrip('/')}" + (f"?{call.query}" if call.query else "")
            data = f"{call.method}\n{uri}\n{call.body.decode('utf-8', 'replace')}\n"
            return self._signed(
                {
                    "client_id": parts.get("id", ""),
                    "timestamp": parts.get("ts", ""),
                    "nonce": parts.get("nonce", ""),
                    "signature": parts.get("sig", ""),
                    "data": data,
                }
            )
        return None

    def expire(self) -> int:
        """End every token and signed-in connection; how many."""
        signed = [each for each in self._dialect.sessions if each.credentials is not None]
        for session in signed:
            session.credentials = None
            for channel in tuple(session.channels):
                if channel.startswith("user."):
                    self._dialect.unsubscribe(session, channel)
        ended = len(self._tokens) + len(signed)
        self._tokens.clear()
        self._refresh.clear()
        return ended

    def _key(self, name: str) -> Credentials:
        found = self._dialect.keys.find(name)
        if found is None:
            raise RpcFailure(13004)
        return found

    def _signed(self, params: Mapping[str, Any]) -> Credentials:
        found = self._key(str(params.get("client_id", "")))
        at, nonce = str(params.get("timestamp", "")), str(params.get("nonce", ""))
        text = f"{at}\n{nonce}\n{params.get('data', '')}"
        expected = hmac.new(found.secret.encode(), text.encode(), hashlib.sha256).hexdigest()
        if not hmac.compare_digest(expected, str(params.get("signature", ""))):
            raise RpcFailure(13004)
        if not at.isdigit() or abs(int(at) - self._dialect.clock.now_ms()) > SKEW_MS:
            raise RpcFailure(13004, "the timestamp is too far from the server's time", "timestamp")
        return found
