"""Currencies: a code and how many decimals are ever posted in it."""

from __future__ import annotations

from typing import Any

import msgspec


class Currency(msgspec.Struct, frozen=True, tag_field="kind", tag="currency"):
    """A currency of accounts and instruments.

    `code`: 1 to 8 of A-Z and 0-9. `digits`: 0 to 8 decimals of its minor unit; money is rounded
    half-even to it when it is posted.
    """

    code: str
    digits: int = 2

    def to_core(self) -> dict[str, Any]:
        """The integer JSON object of docs/engine/semantics.md, section 3."""
        return {"code": self.code, "digits": self.digits}

    @classmethod
    def from_core(cls, body: dict[str, Any]) -> Currency:
        """The currency behind the core's JSON object."""
        return cls(body["code"], body["digits"])
