"""The JSON models of answers that are not structs of ours, and the problem of every route."""

from __future__ import annotations

from typing import Any, Final, Literal

from pydantic import BaseModel, Field

from tradeloom.gateways.rest.models import DecimalText, Time


class ProblemOut(BaseModel):
    """An RFC 9457 problem document."""

    type: str = Field(description="Where the problem is explained.")
    title: str
    status: int
    detail: str = Field(description="What happened, where, and what to do about it.")
    code: int = Field(description="Stable number, the same on every wire.")
    name: str = Field(description="Stable name of the number.")
    field: str = Field(description="The offending field, empty for the request as a whole.")
    instance: str | None = None
    request_id: str | None = None


class Done(BaseModel):
    """A command was done."""

    code: int
    name: str
    reference: int = Field(description="Order, position or count the command made.")
    repeat: bool = Field(description="True: this is the first answer to the same key again.")
    time: Time


class QuoteOut(BaseModel):
    """The newest quote of a symbol."""

    symbol: str
    bid: DecimalText
    ask: DecimalText
    time: Time


class BarOut(BaseModel):
    """A candle of bid prices."""

    time: Time
    open: DecimalText
    high: DecimalText
    low: DecimalText
    close: DecimalText
    ticks: int


class TradingStateOut(BaseModel):
    """What may be done."""

    scope: Literal["shard", "group", "account", "instrument"]
    target: str
    state: Literal["active", "reducing", "halted"]


def problems(*more: int) -> dict[int | str, dict[str, Any]]:
    """The problems a route may answer with, for its OpenAPI text."""
    return {
        status: {
            "description": _SAID[status],
            "content": {"application/problem+json": {"schema": PROBLEM_REF}},
        }
        for status in sorted({*ALWAYS, *more})
    }


PROBLEM_REF: Final = {"$ref": "#/components/schemas/ProblemOut"}
ALWAYS: Final = (400, 401, 403, 404, 409, 413, 422, 429, 503)
_SAID: Final = {
    400: "The request cannot be read",
    401: "No valid token or key",
    403: "The role or key does not allow it",
    404: "There is no such thing, or it is not yours",
    405: "No such method",
    409: "The rules of trading or the present state say no",
    413: "The body is too large",
    415: "The body is not JSON",
    422: "A value is not allowed",
    429: "Too many requests",
    500: "A bug of ours",
    503: "Busy, stopping, or a disk or database is away",
    504: "No answer in time; send the same key again",
}
