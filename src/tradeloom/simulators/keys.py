"""Who may sign in at a simulated venue: demo keys made from the seed, or given by the user.

These are keys to play money: they are printed at the start on purpose.
"""

from __future__ import annotations

import base64
import hashlib
from typing import Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, derive_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)


class Credentials(msgspec.Struct, frozen=True, kw_only=True):
    """One key of one account. What is in `secret` is the venue's own form (text, base64, PEM).

    `public_key` is set for keys that sign with a private one; `secret` is then that private key,
    kept only to be printed. `scopes`: read, trade.
    """

    key: str
    secret: str
    passphrase: str = ""
    public_key: bytes = b""
    account: str = "demo"
    scopes: frozenset[str] = frozenset({"read", "trade"})


class KeyRing:
    """The keys of one venue."""

    def __init__(self) -> None:
        self._keys: Final[dict[str, Credentials]] = {}

    def add(self, credentials: Credentials) -> Credentials:
        """Let this key in; a key that was known is replaced."""
        self._keys[credentials.key] = credentials
        return credentials

    def find(self, key: str) -> Credentials | None:
        """The credentials of a key, or None."""
        return self._keys.get(key)

    def all(self) -> list[Credentials]:
        """Every key, in the order they were added."""
        return list(self._keys.values())


def seeded(seed: int, *names: str, size: int = 32) -> bytes:
    """`size` bytes (64 at most) that the seed and the names fix."""
    text = "/".join(("tradeloom-simulator", str(seed), *names))
    return hashlib.sha512(text.encode()).digest()[:size]


def seeded_text(seed: int, *names: str, length: int = 64) -> str:
    """Letters and digits that the seed and the names fix; 64 at most."""
    raw = base64.b64encode(
        hashlib.sha512(("text/" + "/".join(names)).encode() + seeded(seed)).digest()
    )
    text = raw.decode().replace("+", "p").replace("/", "s").replace("=", "")
    return text[:length]


def ed25519(seed: int, *names: str) -> tuple[Ed25519PrivateKey, bytes]:
    """A private key that the seed fixes, and the 32 raw bytes of its public key."""
    private = Ed25519PrivateKey.from_private_bytes(seeded(seed, *names))
    return private, private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def ed25519_pem(private: Ed25519PrivateKey) -> str:
    """A private key as PKCS#8 PEM."""
    return private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def ec_pem(seed: int, *names: str) -> tuple[str, bytes]:
    """A P-256 private key that the seed fixes as PEM, and its public key as PEM."""
    number = int.from_bytes(seeded(seed, *names)) % (2**255) + 1
    private = derive_private_key(number, SECP256R1())
    pem = private.private_bytes(
        Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()
    ).decode()
    public = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return pem, public
