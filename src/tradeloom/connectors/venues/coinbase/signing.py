"""Coinbase's tokens: a JWT for each call and each subscription, signed with ES256 or EdDSA."""

from __future__ import annotations

import base64
import binascii
import secrets
from typing import Any, Final

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from tradeloom.connectors.link import LoginRefused

_ADVICE: Final = (
    "Coinbase: the secret is neither a PEM private key of an ECDSA key nor the base64 text of an "
    "Ed25519 key: enter the private key again, as Coinbase showed it"
)


def _part(value: Any) -> str:
    return _text(msgspec.json.encode(value))


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


class Signer:
    """Makes tokens of one key. A secret that is none shows at the first token."""

    def __init__(self, name: str, secret: str) -> None:
        self._name: Final = name
        self._secret: Final = secret
        self._key: EllipticCurvePrivateKey | Ed25519PrivateKey | None = None

    def token(self, now_s: int, lasts_s: int, uri: str = "") -> str:
        """A token that is good from `now_s`; `uri` (`GET host/path`) for REST, none for sockets.

        Raises LoginRefused.
        """
        key = self._private()
        eddsa = isinstance(key, Ed25519PrivateKey)
        head = {
            "alg": "EdDSA" if eddsa else "ES256",
            "kid": self._name,
            "nonce": secrets.token_hex(16),
            "typ": "JWT",
        }
        claims: dict[str, Any] = {
            "iss": "cdp",
            "sub": self._name,
            "nbf": now_s,
            "exp": now_s + lasts_s,
        }
        if uri:
            claims["uri"] = uri
        text = f"{_part(head)}.{_part(claims)}"
        if isinstance(key, Ed25519PrivateKey):
            return f"{text}.{_text(key.sign(text.encode()))}"
        r, s = decode_dss_signature(key.sign(text.encode(), ECDSA(SHA256())))
        return f"{text}.{_text(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"

    def _private(self) -> EllipticCurvePrivateKey | Ed25519PrivateKey:
        if self._key is None:
            try:
                self._key = _read(self._secret)
            except (ValueError, TypeError, binascii.Error, UnsupportedAlgorithm):
                raise LoginRefused(_ADVICE) from None
        return self._key


def _read(secret: str) -> EllipticCurvePrivateKey | Ed25519PrivateKey:
    # Keys copied out of a JSON file have their line ends written as `\n`.
    text = secret.strip().replace("\\n", "\n")
    if text.startswith("-----BEGIN"):
        key = load_pem_private_key(text.encode(), None)
        if isinstance(key, EllipticCurvePrivateKey) and key.curve.name == "secp256r1":
            return key
        if isinstance(key, Ed25519PrivateKey):
            return key
        raise ValueError("another kind of key")
    raw = base64.b64decode(text, validate=True)
    if len(raw) not in (32, 64):  # the seed, or the seed and the public key
        raise ValueError("not the length of a key")
    return Ed25519PrivateKey.from_private_bytes(raw[:32])
