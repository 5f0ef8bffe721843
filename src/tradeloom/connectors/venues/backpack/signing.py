"""Backpack's signature: Ed25519 over an instruction and its sorted parameters."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tradeloom.connectors.link import LoginRefused


class Signer:
    """One key pair. Raises LoginRefused when the two parts do not belong together."""

    def __init__(self, key: str, secret: str) -> None:
        try:
            seed = base64.b64decode(secret, validate=True)[:32]
            self._private: Final = Ed25519PrivateKey.from_private_bytes(seed)
        except (binascii.Error, ValueError):
            raise LoginRefused(
                "the Backpack secret is not a base64 Ed25519 key of 32 bytes; copy it again"
            ) from None
        public = self._private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.key: Final = base64.b64encode(public).decode()
        if self.key != key:
            raise LoginRefused(
                "the Backpack key and secret do not belong together: the key is not the public "
                "half of the secret; put both of one pair into the vault"
            )

    def sign(
        self, instruction: str, params: Mapping[str, Any], timestamp_ms: int, window_ms: int
    ) -> str:
        """The signature in base64."""
        text = payload(instruction, params, timestamp_ms, window_ms)
        return base64.b64encode(self._private.sign(text.encode())).decode()

    def headers(
        self, instruction: str, params: Mapping[str, Any], timestamp_ms: int, window_ms: int
    ) -> dict[str, str]:
        """The headers of a REST call."""
        return {
            "X-API-Key": self.key,
            "X-Timestamp": str(timestamp_ms),
            "X-Window": str(window_ms),
            "X-Signature": self.sign(instruction, params, timestamp_ms, window_ms),
        }


def payload(instruction: str, params: Mapping[str, Any], timestamp_ms: int, window_ms: int) -> str:
    """What is signed: parameters by name, booleans in lower case."""
    parts = [f"instruction={instruction}"]
    parts += [f"{name}={_text(params[name])}" for name in sorted(params)]
    return "&".join([*parts, f"timestamp={timestamp_ms}", f"window={window_ms}"])


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
