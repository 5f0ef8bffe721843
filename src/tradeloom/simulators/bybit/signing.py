"""Bybit's signatures, checked: REST over time, key, window and payload; sockets over an expiry."""

from __future__ import annotations

import hashlib
import hmac

from tradeloom.simulators.bybit.errors import BAD_KEY, BybitError, bad_param
from tradeloom.simulators.dialect import Call
from tradeloom.simulators.keys import Credentials, KeyRing

_AHEAD_MS = 1_000


def signature(secret: str, text: str) -> str:
    """HMAC-SHA256 in hex."""
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


def check_time(stamp: str, window: str, now_ms: int) -> None:
    """now - window <= stamp < now + 1 s; raises 10001, 10002."""
    if not (stamp.isascii() and stamp.isdigit() and window.isascii() and window.isdigit()):
        raise bad_param("timestamp")
    if not now_ms - int(window) <= int(stamp) < now_ms + _AHEAD_MS:
        raise BybitError(
            10002,
            "invalid request, please check your server timestamp or recv_window param. "
            f"req_timestamp[{stamp}],server_timestamp[{now_ms}],recv_window[{window}]",
        )


def signed_in(call: Call, keys: KeyRing, now_ms: int) -> Credentials:
    """Whose call it is; raises 10001 … 10004."""
    key = call.headers.get("X-BAPI-API-KEY", "")
    stamp = call.headers.get("X-BAPI-TIMESTAMP", "")
    window = call.headers.get("X-BAPI-RECV-WINDOW", "5000")
    found = keys.find(key)
    if found is None:
        raise BAD_KEY
    check_time(stamp, window, now_ms)
    payload = call.query if call.method == "GET" else call.body.decode("utf-8", "replace")
    text = f"{stamp}{key}{window}{payload}"
    told = call.headers.get("X-BAPI-SIGN", "")
    if not hmac.compare_digest(signature(found.secret, text), told):
        raise BybitError(10004, f"error sign! origin_string[{text[:2000]}]")
    return found


def logged_in(args: list[object], keys: KeyRing, now_ms: int) -> Credentials:
    """Whose socket it is: key, expiry (ms), signature; raises 10001 … 10004."""
    if len(args) != 3:
        raise BybitError(10001, "Params Error")
    key, expires, told = (str(each) for each in args)
    found = keys.find(key)
    if found is None:
        raise BAD_KEY
    if not (expires.isascii() and expires.isdigit()):
        raise BybitError(10001, "Params Error")
    if int(expires) < now_ms:
        raise BybitError(10004, "Request expired: the expires parameter is before the server time")
    if not hmac.compare_digest(signature(found.secret, f"GET/realtime{expires}"), told):
        raise BybitError(10004, "error sign!")
    return found
