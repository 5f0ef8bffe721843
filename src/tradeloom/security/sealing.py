"""Encrypts what the database must hold but not show (AES-256-GCM, key from the secrets file)."""

from __future__ import annotations

import secrets
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from .errors import InsecureSecrets
from .secret_file import KeyRing

_NONCE_BYTES: Final = 12


class Seal:
    """Seals and opens. `owner` is bound in: a sealed value copied to another row does not open."""

    def __init__(self, ring: KeyRing) -> None:
        self._ring = ring

    def close(self, value: bytes, owner: str) -> bytes:
        """Encrypted: id of the key, nonce, ciphertext."""
        key_id, key = self._ring.newest
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = AESGCM(key).encrypt(nonce, value, owner.encode())
        return key_id.encode() + b":" + nonce + sealed

    def open(self, sealed: bytes, owner: str) -> bytes:
        """The value; raises InsecureSecrets when its key is gone or it was tampered with."""
        key_id, _, rest = sealed.partition(b":")
        key = self._ring.keys.get(key_id.decode("ascii", "replace"))
        if key is None:
            raise InsecureSecrets("a sealed value needs a key that is not in the secrets file")
        try:
            return AESGCM(key).decrypt(rest[:_NONCE_BYTES], rest[_NONCE_BYTES:], owner.encode())
        except InvalidTag:
            raise InsecureSecrets("a sealed value does not open: wrong key or tampered") from None
