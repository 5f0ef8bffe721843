"""Exact numbers on venues' wires: integers with a fixed number of decimals, to text and back."""

from __future__ import annotations

import re
from typing import Final

_PLAIN: Final = re.compile(r"-?(?:\d+(?:\.\d*)?|\.\d+)", re.ASCII)
_TEXT_MAX: Final = 40


class BadFigure(ValueError):  # noqa: N818 - a word of the house, like Refused
    """A text that is no plain decimal number, or has more decimals than there are."""


def scaled(text: str, digits: int) -> int:
    """`text` × 10^digits. Raises `BadFigure`; trailing zeros beyond `digits` are fine."""
    if len(text) > _TEXT_MAX or not _PLAIN.fullmatch(text):
        raise BadFigure(f"{text[:_TEXT_MAX]!r} is not a plain decimal number")
    whole, _, part = text.partition(".")
    if len(part) > digits:
        if part[digits:].strip("0"):
            raise BadFigure(f"{text} has more than {digits} decimals")
        part = part[:digits]
    number = int(whole.lstrip("-") + part.ljust(digits, "0") or "0")
    return -number if whole.startswith("-") else number


def fixed(number: int, digits: int) -> str:
    """`number` × 10^-digits with exactly `digits` decimals: `fixed(12300, 4)` is 1.2300."""
    if digits <= 0:
        return str(number)
    sign = "-" if number < 0 else ""
    text = str(abs(number)).zfill(digits + 1)
    return f"{sign}{text[:-digits]}.{text[-digits:]}"


def plain(number: int, digits: int) -> str:
    """`number` × 10^-digits without trailing zeros: `plain(12300, 4)` is 1.23."""
    text = fixed(number, digits)
    return text.rstrip("0").rstrip(".") if "." in text else text


def rescaled(number: int, digits: int, to: int) -> int:
    """`number` with `digits` decimals as one with `to`, rounded half to even."""
    if to >= digits:
        scale: int = 10 ** (to - digits)
        return number * scale
    step: int = 10 ** (digits - to)
    return divided(number, step)


def divided(number: int, by: int) -> int:
    """`number` / `by`, rounded half to even; `by` is positive."""
    whole, rest = divmod(number, by)
    twice = 2 * rest
    if twice > by or (twice == by and whole & 1):
        whole += 1
    return whole
