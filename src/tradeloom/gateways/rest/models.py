"""JSON models of our own structs, made from their annotations so that they cannot drift apart.

`wire.wire` writes a struct as JSON; `model_of` describes that JSON to OpenAPI.
"""

from __future__ import annotations

import types
import typing
from datetime import datetime
from decimal import Decimal
from enum import Enum, IntEnum, IntFlag
from typing import Annotated, Any, Final, Literal, Union

import msgspec
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, create_model

from tradeloom.gateways.wire import RENAMED, wire

POSITIVE: Final = r"^([0-9]*[1-9][0-9]*(\.[0-9]{1,12})?|[0-9]+\.[0-9]*[1-9][0-9]*)$"
"""A positive decimal number as text."""

DecimalText = Annotated[
    str,
    StringConstraints(pattern=r"^-?[0-9]+(\.[0-9]+)?$", max_length=64),
    Field(description="A decimal number as text.", examples=["1.25"]),
]
"""A decimal in an answer."""

Positive = Annotated[
    str,
    StringConstraints(pattern=POSITIVE, max_length=32),
    Field(description="A positive decimal number as text.", examples=["0.10"]),
]
"""A volume, price or amount in a request."""

Signed = Annotated[
    str,
    StringConstraints(pattern=r"^-?[0-9]{1,18}(\.[0-9]{1,12})?$", max_length=33),
    Field(description="A decimal number of either sign as text.", examples=["-25.00"]),
]
Time = Annotated[
    str,
    Field(
        description="RFC 3339, UTC, to the nanosecond.",
        examples=["2026-11-20T09:30:00.000000000Z"],
        json_schema_extra={"format": "date-time"},
    ),
]
Id = Annotated[int, Field(ge=0, le=2**63 - 1)]
"""A number of an account, order, position or user."""

_TIMES: Final = {
    "ts": "time",
    **{name: name for name in ("opened", "expire", "created", "updated", "closed")},
}


class Closed(BaseModel):
    """A request body: what it does not name is an error."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


def model_of(struct: type[msgspec.Struct], name: str, **more: Any) -> type[BaseModel]:
    """The model of what `wire` makes of a struct; `more` are fields of its own."""
    hints = typing.get_type_hints(struct, include_extras=False)
    fields: dict[str, Any] = {}
    for field in struct.__struct_fields__:
        if field in _TIMES:
            fields[_TIMES[field]] = (Time | None, ...)
        else:
            fields[RENAMED.get(field, field)] = (_json(hints[field]), ...)
    doc = (struct.__doc__ or "").split("\n\n")[0]
    made = create_model(name, __doc__=doc, **fields, **more)
    return typing.cast(type[BaseModel], made)


def input_of(struct: type[msgspec.Struct], name: str) -> type[BaseModel]:
    """The model of a request that `msgspec.convert` makes into the struct; defaults stay away."""
    hints = typing.get_type_hints(struct, include_extras=False)
    fields: dict[str, Any] = {}
    for each in msgspec.structs.fields(struct):
        given = _given(hints[each.name], each.name)
        if each.required:
            fields[each.name] = (given, ...)
        else:
            default = None if each.default is msgspec.NODEFAULT else each.default
            fields[each.name] = (given, Field(default=_plain_default(default)))
    doc = (struct.__doc__ or "").split("\n\n")[0]
    return typing.cast(type[BaseModel], create_model(name, __base__=Closed, __doc__=doc, **fields))


def words(enum: type[Enum]) -> Any:
    """The literal type of an enumeration's words."""
    names = [each.name.lower() if issubclass(enum, IntEnum) else each.value for each in enum]
    return Literal[tuple(names)]


Whole = Annotated[int, Field(ge=-(2**63), le=2**63 - 1)]
_Number = Annotated[str, StringConstraints(pattern=r"^-?[0-9]{1,20}(\.[0-9]{1,12})?$")]
_Text = Annotated[str, StringConstraints(max_length=64)]


def _plain_default(value: Any) -> Any:
    return wire(value)


def _given(hint: Any, name: str) -> Any:
    """What a request may say for a field of a struct."""
    origin = typing.get_origin(hint)
    if origin in (Union, types.UnionType):
        return Union[tuple(_given(each, name) for each in typing.get_args(hint))]  # noqa: UP007
    if origin is tuple:
        # No list of a definition is longer than the instruments a broker has.
        one: Any = _given(typing.get_args(hint)[0], name)
        return Annotated[list[one], Field(max_length=2_000)]
    if hint in (Decimal, str, datetime):
        return _Number if hint is Decimal else _Text
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return input_of(hint, f"{hint.__name__}In")
    if hint is int:
        return Whole
    return _json(hint)


def _json(hint: Any) -> Any:
    origin = typing.get_origin(hint)
    if origin in (Union, types.UnionType):
        return Union[tuple(_json(each) for each in typing.get_args(hint))]  # noqa: UP007
    if origin is tuple:
        return list[_json(typing.get_args(hint)[0])]  # type: ignore[misc]
    if origin is dict:
        return dict[str, _json(typing.get_args(hint)[1])]  # type: ignore[misc]
    if hint is Decimal:
        return DecimalText
    if hint is datetime:
        return Time
    if isinstance(hint, type):
        if issubclass(hint, IntFlag):
            return list[str]
        if issubclass(hint, Enum):
            return words(hint)
        if issubclass(hint, msgspec.Struct):
            return model_of(hint, hint.__name__)
        if issubclass(hint, int | str | bool | float):
            return hint
    if hint is type(None):
        return None
    return Any
