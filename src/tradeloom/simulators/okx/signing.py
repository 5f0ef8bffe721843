"""OKX's signatures, checked: REST over time, method, path and body; sockets over a time."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime
from typing import Any, Final

from tradeloom.simulators.dialect import Call
from tradeloom.simulators.keys import Credentials, KeyRing
from tradeloom.simulators.okx.errors import OkxError

_WINDOW_MS: Final = 30_000


def signature(secret: str, text: str) -> str:
    """HMAC-SHA256 in base64."""
    return base64.b64encode(
        hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest()
    ).decode()


def signed_in(call: Call, keys: KeyRing, now_ms: int) -> Credentials:
    """Whose call it is; raises 50103 … 50113."""
    stamp = call.headers.get("OK-ACCESS-TIMESTAMP", "")
    for name, code in (("KEY", "50103"), ("PASSPHRASE", "50104"), ("SIGN", "50107")):
        if not call.headers.get(f"OK-ACCESS-{name}"):
            raise OkxError(code, f'Request header "OK-ACCESS-{name}" can\'t be empty.', 401)
    try:
        moment = datetime.strptime(stamp, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
    except ValueError as error:
        raise OkxError("50112", "Invalid OK-ACCESS-TIMESTAMP.", 401) from error
    if abs(moment.timestamp() * 1_000 - now_ms) > _WINDOW_MS:
        raise OkxError("50102", "Timestamp request expired.", 401)
    found = keys.find(call.headers["OK-ACCESS-KEY"])
    if found is None:
        raise OkxError("50119", "API key doesn't exist.", 401)
    query = f"?{call.query}" if call.query else ""
    body = call.body.decode("utf-8", "replace")
    made = signature(found.secret, f"{stamp}{call.method}{call.path}{query}{body}")
    if not hmac.compare_digest(made, call.headers["OK-ACCESS-SIGN"]):
        raise OkxError("50113", "Invalid Sign.", 401)
    if not hmac.compare_digest(found.passphrase, call.headers["OK-ACCESS-PASSPHRASE"]):
        raise OkxError("50105", "Request header OK-ACCESS-PASSPHRASE incorrect.", 401)
    return found


def logged_in(arg: dict[str, Any], keys: KeyRing, now_ms: int) -> Credentials:
    """Whose socket it is; raises 60004 … 60032."""
    stamp = str(arg.get("timestamp") or "")
    if not (stamp.isascii() and stamp.isdigit()):
        raise OkxError("60004", "Invalid timestamp")
    if abs(int(stamp) * 1_000 - now_ms) > _WINDOW_MS:
        raise OkxError("60006", "Timestamp request expired")
    found = keys.find(str(arg.get("apiKey") or ""))
    if found is None:
        raise OkxError("60032", "API key doesn't exist.")
    made = signature(found.secret, f"{stamp}GET/users/self/verify")
    if not hmac.compare_digest(made, str(arg.get("sign") or "")):
        raise OkxError("60007", "Invalid sign")
    if not hmac.compare_digest(found.passphrase, str(arg.get("passphrase") or "")):
        raise OkxError("60024", "Wrong passphrase")
    return found
