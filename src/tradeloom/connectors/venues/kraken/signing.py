"""Kraken's REST signature: HMAC-SHA512 over the path and a digest of nonce and body."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from typing import Final
from urllib.parse import urlencode

from tradeloom.connectors.clock import VenueClock
from tradeloom.connectors.link import LoginRefused


class Nonce:
    """Numbers that only grow: microseconds of the venue's clock, or one more than the last."""

    def __init__(self, clock: VenueClock) -> None:
        self._clock: Final = clock
        self._last = 0

    def next(self) -> str:
        """The next one."""
        self._last = max(self._clock.now_ns() // 1_000, self._last + 1)
        return str(self._last)


def signature(secret: str, path: str, nonce: str, body: str) -> str:
    """`API-Sign`; `path` begins with `/0/`. Raises LoginRefused for a secret that is none."""
    try:
        key = base64.b64decode(secret, validate=True)
    except (binascii.Error, ValueError):
        raise LoginRefused(
            "Kraken: the secret is not base64: enter the private key again, as Kraken showed it"
        ) from None
    digest = hashlib.sha256((nonce + body).encode()).digest()
    return base64.b64encode(hmac.new(key, path.encode() + digest, hashlib.sha512).digest()).decode()


def form(nonce: str, params: dict[str, str]) -> str:
    """The body of a private call."""
    return urlencode({"nonce": nonce, **params})
