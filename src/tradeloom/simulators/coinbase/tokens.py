"""Tokens of clients: JWTs signed with ES256 or EdDSA, good for two minutes and one call."""

from __future__ import annotations

import base64
import binascii
from typing import Final

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from tradeloom.simulators.keys import Credentials, KeyRing

LASTS_S: Final = 120
# How far a client's clock may be ahead.
AHEAD_S: Final = 10
_ISSUERS: Final = ("cdp", "coinbase-cloud")


class Head(msgspec.Struct):
    """The head of a token."""

    alg: str
    kid: str
    nonce: str = ""


class Claims(msgspec.Struct):
    """What it claims; older clients write a list of one address."""

    iss: str
    sub: str
    nbf: int
    exp: int
    uri: str = ""
    uris: list[str] = []


class BadToken(Exception):  # noqa: N818 - a word of the house, like Refused
    """Not accepted; the venue does not say why, the simulator's own list of refusals does."""


def holder(keys: KeyRing, token: str, now_s: int, uris: tuple[str, ...]) -> Credentials:
    """Whose token it is; `uris` are what it may be for, none for sockets. Raises `BadToken`."""
    try:
        signed, _, given = token.rpartition(".")
        first, _, second = signed.partition(".")
        head = msgspec.json.decode(_bytes(first), type=Head)
        claims = msgspec.json.decode(_bytes(second), type=Claims)
        signature = _bytes(given)
    except (msgspec.DecodeError, binascii.Error, ValueError):
        raise BadToken("not a token") from None
    credentials = keys.find(head.kid)
    if credentials is None or claims.sub != head.kid or claims.iss not in _ISSUERS:
        raise BadToken("unknown key")
    if not _signed(credentials, head.alg, signed.encode(), signature):
        raise BadToken("bad signature")
    if claims.nbf > now_s + AHEAD_S or claims.exp <= now_s:
        raise BadToken("not valid now")
    if claims.exp - claims.nbf > LASTS_S:
        raise BadToken("valid for too long")
    if uris and not {claims.uri, *claims.uris} & set(uris):
        raise BadToken("made for another call")
    return credentials


def _signed(credentials: Credentials, algorithm: str, text: bytes, signature: bytes) -> bool:
    try:
        if algorithm == "EdDSA" and len(credentials.public_key) == 32:
            Ed25519PublicKey.from_public_bytes(credentials.public_key).verify(signature, text)
            return True
        if algorithm == "ES256" and len(signature) == 64:
            key = load_pem_public_key(credentials.public_key)
            if isinstance(key, EllipticCurvePublicKey):
                r, s = (int.from_bytes(half) for half in (signature[:32], signature[32:]))
                key.verify(encode_dss_signature(r, s), text, ECDSA(SHA256()))
                return True
    except (InvalidSignature, ValueError):
        pass
    return False


def _bytes(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
