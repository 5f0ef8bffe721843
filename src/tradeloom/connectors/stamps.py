"""Times that venues write as text (RFC 3339, up to nine decimals), to and from UTC nanoseconds."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache


@lru_cache(256)
def _whole_ns(seconds: str) -> int:
    # Frames of one second share this part, so that it is worked out once a second.
    return int(datetime.fromisoformat(seconds).replace(tzinfo=UTC).timestamp()) * 10**9


def rfc3339_ns(text: str) -> int:
    """`2023-09-25T07:49:37.708706Z` as nanoseconds; 0 for an empty text. Raises ValueError."""
    if len(text) == 27 and text[26] == "Z":  # microseconds, what most venues write
        return _whole_ns(text[:19]) + int(text[20:26]) * 1_000
    if not text:
        return 0
    if text[-1] != "Z":
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            raise ValueError("a time without its zone")
        return int(moment.replace(microsecond=0).timestamp()) * 10**9 + moment.microsecond * 1_000
    fraction = text[20:-1]
    return _whole_ns(text[:19]) + (int(fraction.ljust(9, "0")[:9]) if fraction else 0)


def rfc3339_text(ns: int) -> str:
    """Nanoseconds as `2023-09-25T07:49:37.708Z`."""
    moment = datetime.fromtimestamp(ns // 10**9, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{ns // 10**6 % 1000:03d}Z"
