"""Signatures: HMAC-SHA256 in hex, or Ed25519 in base64 when the secret is a PEM private key."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from urllib.parse import quote, urlencode

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key


class Signer:
    """Signs texts with one secret."""

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()
        self._private: Ed25519PrivateKey | None = None
        if secret.lstrip().startswith("-----BEGIN"):
            key = load_pem_private_key(self._secret, None)
            if not isinstance(key, Ed25519PrivateKey):
                raise ValueError("the private key must be Ed25519 (or give an HMAC secret)")
            self._private = key

    @property
    def logs_on(self) -> bool:
        """Whether a session may log on once (Ed25519) instead of signing each request."""
        return self._private is not None

    def sign(self, text: str) -> str:
        """The signature of a text."""
        if self._private is not None:
            return base64.b64encode(self._private.sign(text.encode())).decode()
        return hmac.new(self._secret, text.encode(), hashlib.sha256).hexdigest()

    def query(self, params: Mapping[str, str]) -> str:
        """A percent-encoded query string, its signature last; what is sent is what is signed."""
        text = urlencode(params, quote_via=quote)
        return f"{text}&signature={quote(self.sign(text), safe='')}"

    def params(self, params: Mapping[str, str]) -> dict[str, str]:
        """Parameters of the socket API with their signature, signed in alphabetical order."""
        text = "&".join(f"{name}={params[name]}" for name in sorted(params))
        return {**params, "signature": self.sign(text)}
