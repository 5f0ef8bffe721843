"""Backpack's signatures: Ed25519 over an instruction, its sorted parameters, time and window."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from tradeloom.simulators.keys import Credentials, KeyRing

WINDOW_MAX_MS: Final = 60_000


class Unsigned(Exception):  # noqa: N818 - a refusal
    """A signature that does not hold; `args` are the venue's code and words."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(code, message)
        self.status = status
        self.code = code
        self.message = message


def signed_text(value: Any) -> str:
    """A value as it is signed: booleans in lower case."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def verify(
    keys: KeyRing, now_ms: int, key: str, signature: str, at: str, window: str,
    instruction: str, pairs: Iterable[tuple[str, Any]],
) -> Credentials:  # fmt: skip
    """Who signed this; raises `Unsigned`."""
    found = keys.find(key)
    if found is None:
        raise Unsigned(401, "UNAUTHORIZED", "Unauthorized")
    if not at.isdigit() or not window.isdigit() or not 0 < int(window) <= WINDOW_MAX_MS:
        raise Unsigned(400, "INVALID_CLIENT_REQUEST", "Invalid X-Timestamp or X-Window")
    if not -int(window) <= now_ms - int(at) <= int(window):
        raise Unsigned(400, "INVALID_CLIENT_REQUEST", "Request has expired")
    parts = [f"instruction={instruction}"]
    parts += [f"{name}={signed_text(value)}" for name, value in sorted(pairs)]
    text = "&".join([*parts, f"timestamp={at}", f"window={window}"])
    try:
        raw = base64.b64decode(signature, validate=True)
        Ed25519PublicKey.from_public_bytes(found.public_key).verify(raw, text.encode())
    except (binascii.Error, ValueError, InvalidSignature):
        raise Unsigned(400, "INVALID_SIGNATURE", "Invalid signature") from None
    return found
