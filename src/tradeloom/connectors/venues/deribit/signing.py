"""Deribit's client signature: HMAC-SHA256 over time, nonce and data, in hex."""

from __future__ import annotations

import hashlib
import hmac


def client_signature(secret: str, timestamp_ms: int, nonce: str, data: str = "") -> str:
    """The signature of `public/auth` with grant type client_signature."""
    text = f"{timestamp_ms}\n{nonce}\n{data}"
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


def rest_signature(
    secret: str, timestamp_ms: int, nonce: str, method: str, uri: str, body: str = ""
) -> str:
    """The signature of one REST call; `uri` is the path with its query."""
    return client_signature(secret, timestamp_ms, nonce, f"{method}\n{uri}\n{body}\n")
