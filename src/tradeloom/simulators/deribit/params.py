"""Parameters of a call: JSON values from sockets, text from query strings."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from tradeloom.simulators.deribit.errors import RpcFailure
from tradeloom.simulators.figures import BadFigure, scaled


class Params:
    """What a client gave; a wrong or missing one raises -32602 with its name."""

    def __init__(self, given: Mapping[str, Any]) -> None:
        self._given = given

    def __contains__(self, name: str) -> bool:
        return self._given.get(name) is not None

    def raw(self) -> Mapping[str, Any]:
        """Everything, untouched."""
        return self._given

    def text(self, name: str, default: str | None = None) -> str:
        """A word."""
        value = self._given.get(name, default)
        if value is None:
            raise RpcFailure(-32602, "value required", name)
        return str(value)

    def flag(self, name: str) -> bool:
        """True or false."""
        return str(self._given.get(name, False)).lower() == "true"

    def number(self, name: str, default: int | None = None) -> int:
        """A whole number."""
        value = self._given.get(name, default)
        try:
            return int(value)
        except (TypeError, ValueError):
            raise RpcFailure(-32602, "must be an integer", name) from None

    def mantissa(self, name: str, digits: int, code: int) -> int:
        """A decimal number × 10^digits; raises `code` for more decimals than there are."""
        value = self._given.get(name)
        if value is None:
            raise RpcFailure(-32602, "value required", name)
        text = f"{Decimal(repr(value)):f}" if isinstance(value, float) else str(value)
        try:
            return scaled(text, digits)
        except BadFigure:
            raise RpcFailure(code, "must be a number with fewer decimals", name) from None

    def words(self, name: str) -> list[str]:
        """A list of words (one word in a query string)."""
        value = self._given.get(name)
        if isinstance(value, str):
            return [value]
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise RpcFailure(-32602, "must be a list of channels", name)
        return value
