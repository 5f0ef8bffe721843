"""Changes of groups and instruments: what differs, whom it concerns, what the engine says to it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from tradeloom.domain import commands as c
from tradeloom.domain.enums import Field, ReturnCode
from tradeloom.domain.errors import Refused, explain
from tradeloom.domain.group import Group
from tradeloom.domain.instrument import Instrument
from tradeloom.engine.records import EVENT_HEADER, EVENTS
from tradeloom.gateways.desk import Desk
from tradeloom.gateways.wire import wire

Definition = Group | Instrument
KINDS: Final[dict[str, type[Group] | type[Instrument]]] = {
    "group": Group,
    "instrument": Instrument,
}

_LOCKED: Final[dict[type[Group] | type[Instrument], str]] = {
    Group: "currency and mode stay while an account belongs to the group",
    Instrument: "digits, calculation, currencies, contract and ticks stay while something is open "
    "on it or converted by it",
}


def parse(what: str, body: dict[str, Any]) -> Definition:
    """A definition from its wire form; raises msgspec.ValidationError."""
    return msgspec.convert({**body, "kind": what}, KINDS[what], strict=True)


def settled(definition: Definition) -> Definition:
    """It as it will stand: `5` lots become `5.00`. What the engine refuses stays as it is."""
    try:
        return type(definition).from_core(definition.to_core())
    except Refused:
        return definition


def name_of(definition: Definition) -> str:
    """What it is called."""
    return definition.symbol if isinstance(definition, Instrument) else definition.name


def known(desk: Desk, what: str, name: str) -> Definition | None:
    """The definition that stands."""
    rows: list[Any] = desk.names.instruments if what == "instrument" else desk.names.groups
    return next((each for each in rows if name_of(each) == name), None)


def command(definition: Definition, key: str = "") -> c.Command:
    """The command that makes it stand."""
    if isinstance(definition, Instrument):
        return c.DefineInstrument(id=key, instrument=definition)
    return c.DefineGroup(id=key, group=definition)


def refusal(desk: Desk, definition: Definition) -> Refused | None:
    """Why the engine would not take it, None when it would. Changes nothing."""
    try:
        record = desk.encoder.encode(command(definition), 0)
    except Refused as error:
        return error
    stamped = record[:8] + desk.shard.read(lambda core: core.now).to_bytes(8, "little")
    answers = desk.shard.read(lambda core: core.admit(stamped + record[16:])[1])
    if not answers:
        return None
    result = EVENTS["EventResult"].unpack(answers, EVENT_HEADER.size)
    code = ReturnCode(result["code"])
    field = Field(result["field"]).name.lower() if result["field"] else ""
    locked = _LOCKED[type(definition)] if code is ReturnCode.TRADE_INCORRECT_STATE else ""
    return Refused(code, field, explain(code, field, locked))


def difference(before: dict[str, Any] | None, after: dict[str, Any]) -> list[dict[str, Any]]:
    """What differs between two wire forms, field by field, with dots into objects."""
    old, new = dict(_flat(before or {})), dict(_flat(after))
    return [
        {"field": field, "old": old.get(field), "new": new.get(field)}
        for field in dict.fromkeys((*new, *old))
        if old.get(field) != new.get(field)
    ]


def shown(definition: Definition) -> dict[str, Any]:
    """The wire form, as JSON has it."""
    made: dict[str, Any] = wire(definition)
    return made


def _flat(value: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, item in value.items():
        if isinstance(item, dict):
            yield from _flat(item, f"{prefix}{key}.")
        else:
            yield prefix + key, item
