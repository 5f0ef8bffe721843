"""Parameters of a Binance request, whether they came in a URL, a form or a JSON frame."""

from __future__ import annotations

import json
from typing import Any

from tradeloom.simulators.binance.errors import BinanceError, illegal, missing, too_precise
from tradeloom.simulators.dialect import Call
from tradeloom.simulators.figures import BadFigure, scaled

_SIGNATURE = "signature"


class Params:
    """Texts by name. `signed` is what the signature was made over, `signature` itself apart."""

    def __init__(self, values: dict[str, str], signed: str = "") -> None:
        self._values = values
        self.signed = signed
        self.signature = values.pop(_SIGNATURE, "")

    @classmethod
    def of_call(cls, call: Call) -> Params:
        """Of a REST call: query string and form body; signed as they came, percent-encoded."""
        body = call.body.decode("utf-8", "replace")
        values = dict(call.query_pairs())
        values.update(call.form_pairs())
        return cls(values, _unsigned(call.query) + _unsigned(body))

    @classmethod
    def of_frame(cls, raw: bytes) -> Params:
        """Of a WebSocket API frame: signed as `k=v` in alphabetical order, numbers as written."""
        if not raw:
            return cls({})
        found = json.loads(raw, parse_float=str, parse_int=str)
        if not isinstance(found, dict):
            raise BinanceError(-1101, "Invalid 'params' in JSON request; expected an object.")
        values = {name: _text(value) for name, value in found.items() if value is not None}
        pairs = sorted(pair for pair in values.items() if pair[0] != _SIGNATURE)
        return cls(values, "&".join(f"{name}={value}" for name, value in pairs))

    def __contains__(self, name: str) -> bool:
        return bool(self._values.get(name))

    def text(self, name: str, default: str | None = None) -> str:
        """A text; raises -1102 when it is missing and has no default."""
        found = self._values.get(name)
        if found:
            return found
        if default is None:
            raise missing(name)
        return default

    def one_of(self, name: str, allowed: tuple[str, ...], code: int, what: str) -> str:
        """A word of a list; raises `code` for another one."""
        found = self.text(name)
        if found not in allowed:
            raise BinanceError(code, f"Invalid {what}.")
        return found

    def integer(self, name: str, default: int | None = None) -> int:
        """A whole number, not negative; raises -1102 or -1100."""
        if name not in self:
            if default is None:
                raise missing(name)
            return default
        found = self._values[name]
        if not (found.isascii() and found.isdigit() and len(found) < 20):
            raise illegal(name)
        return int(found)

    def optional(self, name: str) -> int | None:
        """A whole number, or None when it is not there."""
        return self.integer(name) if name in self else None

    def flag(self, name: str) -> bool:
        """true or false; false when it is not there."""
        found = self.text(name, "false").lower()
        if found not in ("true", "false"):
            raise illegal(name)
        return found == "true"

    def figure(self, name: str, digits: int, default: int | None = None) -> int:
        """A decimal as a mantissa of `digits`; raises -1102, -1100 or -1111."""
        if name not in self:
            if default is None:
                raise missing(name)
            return default
        found = self._values[name]
        try:
            return scaled(found, digits)
        except BadFigure as error:
            if "more than" in str(error):
                raise too_precise(name) from error
            raise illegal(name) from error

    def plain(self) -> dict[str, str]:
        """Everything but the signature."""
        return dict(self._values)


def _unsigned(text: str) -> str:
    return "&".join(each for each in text.split("&") if not each.startswith(f"{_SIGNATURE}="))


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
