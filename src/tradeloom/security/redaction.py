"""Keeps secrets out of logs: a structlog processor and a filter for the standard library.

Two nets: values under a name that says "secret" are replaced whole, and texts are searched for
what our own secrets look like wherever they stand.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, MutableMapping
from typing import Any, Final

REDACTED: Final = "[redacted]"
_NAMES: Final = re.compile(
    r"passw|secret|token|authori[sz]ation|cookie|api[-_]?key|private[-_]?key|credential|"
    r"recovery|totp|otp|^(?:key|keys|pin|jwt|dsn)$",
    re.IGNORECASE,
)
_TEXTS: Final = (
    # JSON Web Tokens, refresh tokens and API keys of ours.
    (re.compile(r"\beyJ[\w-]{8,}\.[\w-]+\.[\w-]+"), REDACTED),
    (re.compile(r"\btl[rk]_[\w-]{8,}"), REDACTED),
    (re.compile(r"(?i)\b(bearer|basic|token|apikey)\s+[\w.~+/=-]{8,}"), rf"\1 {REDACTED}"),
    # The password of an address: scheme://user:password@host.
    (re.compile(r"(\w+://[^\s:/@]*):[^\s/@]+@"), rf"\1:{REDACTED}@"),
    # Header lines and JSON or query pairs inside a longer text.
    (
        re.compile(
            r"(?i)\b([\w-]*(?:password|passwd|secret|token|api[-_]?key|authorization|cookie|"
            r"listen[-_]?key|passphrase|signature))"
            r"([\"']?\s*[:=]\s*)(\"[^\"]*\"|'[^']*'|[^\s,;&}]+(?:\s+\[redacted\])?)"
        ),
        rf"\1\2{REDACTED}",
    ),
)
# A quick look that rules most texts out.
_SUSPECT: Final = re.compile(
    r"(?i)eyJ|tl[rk]_|bearer|basic|://|passw|secret|token|api[-_]?key|authori|cookie|"
    r"listen[-_]?key|passphrase|signature"
)
_DEPTH_MAX: Final = 8


def redact_text(text: str) -> str:
    """The text without secrets."""
    if _SUSPECT.search(text):
        for pattern, replacement in _TEXTS:
            text = pattern.sub(replacement, text)
    return text


def redact(value: Any, depth: int = 0) -> Any:
    """The value without secrets, through mappings and sequences."""
    if isinstance(value, str):
        return redact_text(value)
    if isinstance(value, bytes | bytearray):
        return redact_text(value.decode("utf-8", "replace"))
    if depth >= _DEPTH_MAX:
        return REDACTED
    if isinstance(value, Mapping):
        return {
            key: REDACTED if _secret_name(key, item) else redact(item, depth + 1)
            for key, item in value.items()
        }
    if isinstance(value, list | tuple | set | frozenset):
        return [redact(item, depth + 1) for item in value]
    if isinstance(value, BaseException):
        return redact_text(f"{type(value).__name__}: {value}")
    return value


def redact_event(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """The structlog processor; put it last before the renderer, behind `format_exc_info`."""
    for key, value in event.items():
        event[key] = REDACTED if _secret_name(key, value) else redact(value)
    return event


class RedactingFilter(logging.Filter):
    """The same for the standard library; put it on every handler."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Clean the message and the text of an exception; the record always passes."""
        record.msg, record.args = redact_text(record.getMessage()), None
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = redact_text(record.exc_text)
        return True


def _secret_name(key: object, value: object) -> bool:
    """A telling name, unless the value is a flag or a number, which are no secrets."""
    if isinstance(value, bool | int | float) or value is None:
        return False
    return isinstance(key, str) and _NAMES.search(key) is not None
