"""The directory of names: symbols, groups and currencies to the indices of the records and back."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Protocol, TypeVar

from tradeloom.domain.currency import Currency
from tradeloom.domain.enums import ReturnCode
from tradeloom.domain.errors import Refused, explain
from tradeloom.domain.group import Group
from tradeloom.domain.instrument import Instrument

T = TypeVar("T")


class Defines(Protocol):
    """What the directory reads from a core: its definitions as JSON, in order of their indices."""

    def currencies(self) -> list[str]:
        """JSON of the currencies."""

    def instruments(self) -> list[str]:
        """JSON of the instruments."""

    def groups(self) -> list[str]:
        """JSON of the groups."""


class Names:
    """What is defined, by name and by index; looking up an unknown name raises `Refused`.

    `seq` is the last event learned from: an older definition, met in history, changes nothing.
    """

    def __init__(self) -> None:
        self.seq = 0
        self.currencies: list[Currency] = []
        self.instruments: list[Instrument] = []
        self.groups: list[Group] = []
        self._currency: dict[str, int] = {}
        self._instrument: dict[str, int] = {}
        self._group: dict[str, int] = {}
        # Index -> (event seq, digits before it), oldest first; only of those that ever changed.
        self._digits_before: dict[int, list[tuple[int, int]]] = {}

    @classmethod
    def of(cls, core: Defines, seq: int) -> Names:
        """The directory of everything a core has defined up to event `seq`."""
        names = cls()
        names.seq = seq
        for index, text in enumerate(core.currencies()):
            names.set(index, Currency.from_core(json.loads(text)))
        for index, text in enumerate(core.instruments()):
            names.set(index, Instrument.from_core(json.loads(text)))
        for index, text in enumerate(core.groups()):
            names.set(index, Group.from_core(json.loads(text)))
        return names

    def learn(self, index: int, definition: Currency | Instrument | Group, seq: int) -> None:
        """Take over a definition from the event `seq`, unless it is known already."""
        if seq <= self.seq:
            return
        self.seq = seq
        if isinstance(definition, Instrument) and index < len(self.instruments):
            digits = self.instruments[index].digits
            if digits != definition.digits:
                self._digits_before.setdefault(index, []).append((seq, digits))
        self.set(index, definition)

    def set(self, index: int, definition: Currency | Instrument | Group) -> None:
        """Remember a definition under its index, or replace the one that is there."""
        match definition:
            case Currency():
                _put(self.currencies, self._currency, index, definition.code, definition)
            case Instrument():
                _put(self.instruments, self._instrument, index, definition.symbol, definition)
            case Group():
                _put(self.groups, self._group, index, definition.name, definition)

    def instrument(self, symbol: str) -> int:
        """Index of a symbol; `Refused` SYMBOL_NOT_FOUND."""
        return _find(self._instrument, symbol, ReturnCode.SYMBOL_NOT_FOUND, "instrument")

    def group(self, name: str) -> int:
        """Index of a group; `Refused` GROUP_NOT_FOUND."""
        return _find(self._group, name, ReturnCode.GROUP_NOT_FOUND, "group")

    def currency(self, code: str) -> int:
        """Index of a currency; `Refused` CURRENCY_NOT_FOUND."""
        return _find(self._currency, code, ReturnCode.CURRENCY_NOT_FOUND, "currency")

    def missing_currencies(self, codes: Iterable[str]) -> list[str]:
        """Those of `codes` that are not defined, each once, in their order."""
        return [code for code in dict.fromkeys(codes) if code not in self._currency]

    def symbol(self, index: int) -> str:
        """The symbol of an instrument index."""
        return self.instruments[index].symbol

    def digits(self, index: int, seq: int = 0) -> int:
        """Price digits of an instrument index, now or at event `seq`."""
        if seq and index in self._digits_before:
            for changed, digits in self._digits_before[index]:
                if seq < changed:
                    return digits
        return self.instruments[index].digits


def _put(rows: list[T], index_of: dict[str, int], index: int, name: str, row: T) -> None:
    if index == len(rows):
        rows.append(row)
    else:
        rows[index] = row
    index_of[name] = index


def _find(index_of: dict[str, int], name: str, code: ReturnCode, field: str) -> int:
    index = index_of.get(name)
    if index is None:
        near = ", ".join(sorted(index_of)[:8])
        known = f" (defined: {near})" if near else ""
        raise Refused(code, field, explain(code, field, f"{name!r} is not defined{known}"))
    return index
