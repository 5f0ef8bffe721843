"""Signatures of Bybit v5: HMAC-SHA256 in hex over time, key, window and what is sent."""

from __future__ import annotations

import hashlib
import hmac


class Signer:
    """Signs for one key."""

    def __init__(self, key: str, secret: str, window_ms: int) -> None:
        self._key = key
        self._secret = secret.encode()
        self._window = str(window_ms)

    def headers(self, now_ms: int, payload: str) -> dict[str, str]:
        """Headers of a REST call; `payload` is the query string or the body, byte for byte."""
        return {
            "X-BAPI-API-KEY": self._key,
            "X-BAPI-TIMESTAMP": str(now_ms),
            "X-BAPI-RECV-WINDOW": self._window,
            "X-BAPI-SIGN": self._sign(f"{now_ms}{self._key}{self._window}{payload}"),
        }

    def login(self, expires_ms: int) -> list[str | int]:
        """Arguments of `auth` on a socket."""
        return [self._key, expires_ms, self._sign(f"GET/realtime{expires_ms}")]

    def _sign(self, text: str) -> str:
        return hmac.new(self._secret, text.encode(), hashlib.sha256).hexdigest()
