"""Access tokens (JWT, HS256, minutes), refresh tokens and API keys (random, stored as hashes)."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from typing import Final

import jwt

from .errors import BadToken
from .limits import ACCESS_TOKEN_S, CLOCK_LEEWAY_S, TOKEN_CHARACTERS_MAX
from .secret_file import KeyRing

_ALGORITHM: Final = "HS256"
_AUDIENCE: Final = "tradeloom"
_NS: Final = 10**9
REFRESH_PREFIX: Final = "tlr_"
KEY_PREFIX: Final = "tlk_"
_PREFIX_LENGTH: Final = len(KEY_PREFIX) + 8


@dataclass(frozen=True, slots=True)
class Claims:
    """What an access token says: who, which session, until when (seconds since 1970)."""

    user_id: int
    session: str
    expires: int


class AccessTokens:
    """Signs with the newest key, verifies with all of the ring."""

    def __init__(self, ring: KeyRing) -> None:
        self._ring = ring

    def issue(self, user_id: int, session: str, now_ns: int) -> str:
        """A token that is good from now on for `ACCESS_TOKEN_S`."""
        key_id, key = self._ring.newest
        now = now_ns // _NS
        claims = {
            "sub": str(user_id),
            "sid": session,
            "aud": _AUDIENCE,
            "iat": now,
            "exp": now + ACCESS_TOKEN_S,
        }
        return jwt.encode(claims, key, algorithm=_ALGORITHM, headers={"kid": key_id})

    def verify(self, token: str, now_ns: int) -> Claims:
        """What a token says; raises BadToken."""
        if len(token) > TOKEN_CHARACTERS_MAX:
            raise BadToken
        try:
            key = self._ring.keys[jwt.get_unverified_header(token)["kid"]]
            claims = jwt.decode(
                token,
                key,
                algorithms=[_ALGORITHM],
                audience=_AUDIENCE,
                # The time is ours to check, against the clock we were given.
                options={
                    "require": ["sub", "sid", "exp"],
                    "verify_exp": False,
                    "verify_iat": False,
                },
            )
            found = Claims(int(claims["sub"]), str(claims["sid"]), int(claims["exp"]))
        except (jwt.PyJWTError, KeyError, TypeError, ValueError):
            raise BadToken from None
        if now_ns > (found.expires + CLOCK_LEEWAY_S) * _NS:
            raise BadToken(expired=True)
        return found


def new_refresh_token() -> tuple[str, bytes]:
    """A refresh token and what the database keeps of it."""
    token = REFRESH_PREFIX + secrets.token_urlsafe(32)
    return token, digest(token)


def new_api_key() -> tuple[str, str, bytes]:
    """An API key, its prefix (shown in lists, looked up by) and what the database keeps of it."""
    prefix = KEY_PREFIX + secrets.token_hex(4)
    key = f"{prefix}_{secrets.token_urlsafe(32)}"
    return key, prefix, digest(key)


def prefix_of(key: str) -> str:
    """The prefix of an API key; raises BadToken for what cannot be one."""
    if len(key) > TOKEN_CHARACTERS_MAX or key[_PREFIX_LENGTH : _PREFIX_LENGTH + 1] != "_":
        raise BadToken
    return key[:_PREFIX_LENGTH]


def digest(token: str) -> bytes:
    """SHA-256: enough for 256 random bits, which nobody guesses however fast the hash is."""
    return hashlib.sha256(token.encode()).digest()


def same(left: bytes, right: bytes) -> bool:
    """Equal, in a time that does not say where they differ."""
    return hmac.compare_digest(left, right)
