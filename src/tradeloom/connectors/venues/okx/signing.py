"""Signatures of OKX v5: HMAC-SHA256 in base64 over time, method, path and body."""

from __future__ import annotations

import base64
import hashlib
import hmac

from tradeloom.connectors.stamps import rfc3339_text


class Signer:
    """Signs for one key."""

    def __init__(self, key: str, secret: str, passphrase: str) -> None:
        self._key = key
        self._secret = secret.encode()
        self._passphrase = passphrase

    def headers(self, now_ns: int, method: str, path: str, body: str = "") -> dict[str, str]:
        """Headers of a REST call; `path` is with its query, byte for byte."""
        stamp = rfc3339_text(now_ns)
        return {
            "OK-ACCESS-KEY": self._key,
            "OK-ACCESS-SIGN": self._sign(f"{stamp}{method}{path}{body}"),
            "OK-ACCESS-TIMESTAMP": stamp,
            "OK-ACCESS-PASSPHRASE": self._passphrase,
        }

    def login(self, now_ns: int) -> dict[str, str]:
        """The argument of `login` on a socket."""
        stamp = str(now_ns // 10**9)
        return {
            "apiKey": self._key,
            "passphrase": self._passphrase,
            "timestamp": stamp,
            "sign": self._sign(f"{stamp}GET/users/self/verify"),
        }

    def _sign(self, text: str) -> str:
        return base64.b64encode(
            hmac.new(self._secret, text.encode(), hashlib.sha256).digest()
        ).decode()
