"""Who sent a Binance request: HMAC-SHA256, RSA or Ed25519 over the request's text, and its age."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from tradeloom.simulators.binance.errors import BAD_SIGNATURE, TOO_EARLY, TOO_OLD, BinanceError
from tradeloom.simulators.binance.params import Params
from tradeloom.simulators.keys import Credentials

WINDOW_MS: Final = 5_000
WINDOW_MS_MAX: Final = 60_000
AHEAD_MS: Final = 1_000
# A number this large is microseconds: in milliseconds it would be the year 33,000.
_MICROSECONDS: Final = 10**15


def hmac_hex(secret: str, payload: str) -> str:
    """The signature of an HMAC key."""
    return hmac.new(secret.encode(), payload.encode(), hashlib.sha256).hexdigest()


def is_ed25519(credentials: Credentials) -> bool:
    """Whether the key may open a session (`session.logon`)."""
    return len(credentials.public_key) == 32


def check_signature(credentials: Credentials, params: Params) -> None:
    """Raises -1022 unless the signature is the key's own over what was sent."""
    given, payload = params.signature, params.signed
    if not credentials.public_key:
        if not hmac.compare_digest(given.lower(), hmac_hex(credentials.secret, payload)):
            raise BAD_SIGNATURE
        return
    try:
        raw = base64.b64decode(given, validate=True)
        if is_ed25519(credentials):
            key = Ed25519PublicKey.from_public_bytes(credentials.public_key)
            key.verify(raw, payload.encode())
        else:
            rsa = load_pem_public_key(credentials.public_key)
            if not isinstance(rsa, RSAPublicKey):
                raise BAD_SIGNATURE
            rsa.verify(raw, payload.encode(), PKCS1v15(), SHA256())
    except (InvalidSignature, binascii.Error, ValueError) as error:
        raise BAD_SIGNATURE from error


def check_time(params: Params, now_ms: int) -> None:
    """Raises -1021 unless the request is at most `recvWindow` old and at most 1 s early."""
    sent_ms = params.integer("timestamp")
    if sent_ms >= _MICROSECONDS:
        sent_ms //= 1_000
    window_ms = params.integer("recvWindow", WINDOW_MS)
    if window_ms > WINDOW_MS_MAX:
        raise BinanceError(-1131, "recvWindow must be less than 60000.")
    if sent_ms >= now_ms + AHEAD_MS:
        raise TOO_EARLY
    if now_ms - sent_ms > window_ms:
        raise TOO_OLD
