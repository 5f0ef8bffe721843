"""POST /orders, the hot route: a plain function with msgspec, described to OpenAPI by hand."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Annotated, Any, Final, Literal

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from tradeloom.domain import commands as c
from tradeloom.domain import events as e
from tradeloom.domain.enums import OrderState, OrderType, ReturnCode, Side, TimeInForce
from tradeloom.gateways.desk import Reply
from tradeloom.gateways.problems import MEANINGS, ApiCode, Problem
from tradeloom.gateways.rest.errors import invalid, plain
from tradeloom.gateways.rest.gate import KEY_PATTERN, Gate, command_id, reply
from tradeloom.gateways.rest.models import POSITIVE
from tradeloom.gateways.wire import nanoseconds, number, rfc3339
from tradeloom.security.rights import Scope

PATH: Final = "/api/v1/orders"

_Meta = msgspec.Meta
Id = Annotated[int, _Meta(ge=0, le=2**63 - 1)]
Points = Annotated[int, _Meta(ge=0, le=10**15)]
Positive = Annotated[
    str,
    _Meta(
        pattern=POSITIVE,
        max_length=32,
        description="A positive decimal number as text.",
        examples=["0.10"],
    ),
]


class OrderRequest(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """An order. Prices and volumes are decimal text; distances are points of the instrument."""

    account: Annotated[int, _Meta(ge=1, le=2**63 - 1, description="Trading account.")]
    instrument: Annotated[
        str, _Meta(min_length=1, max_length=32, description="Symbol.", examples=["EURUSD"])
    ]
    side: Literal["buy", "sell"]
    volume: Positive
    type: Literal["market", "limit", "stop", "stop_limit"] = "market"
    tif: Literal["gtc", "day", "gtd", "ioc", "fok"] = "gtc"
    price: Positive | None = None
    limit_price: Positive | None = None
    sl: Positive | None = None
    tp: Positive | None = None
    trailing: Points = 0
    trailing_step: Points = 0
    max_deviation: Points | None = None
    expire: (
        Annotated[
            str,
            _Meta(
                description="RFC 3339; only with gtd.",
                max_length=40,
                extra_json_schema={"format": "date-time"},
            ),
        ]
        | None
    ) = None
    oco: Id = 0
    position: Id = 0
    tag: Id = 0
    leverage: Annotated[int, _Meta(ge=0, le=10_000)] = 0


class OrderAnswer(msgspec.Struct, kw_only=True):
    """What became of an order. `price`: average of its fills; `seq`: resume the event feed here."""

    order: int
    account: int
    code: int
    name: str
    state: str
    volume: str
    filled: str
    price: str | None
    position: int | None
    repeat: bool
    time: str
    seq: int


_TYPES: Final = {each.name.lower(): each for each in OrderType}
_TIFS: Final = {each.name.lower(): each for each in TimeInForce}
_DECODE: Final = msgspec.json.Decoder(OrderRequest)
_ENCODE: Final = msgspec.json.Encoder()
_PLACE: Final = re.compile(r"(?:`(\w+)`|\$\.(\w+))")


def handler(gate: Gate) -> Callable[[Request], Awaitable[Response]]:
    """The route's function."""
    encode, submit, answer = gate.desk.encoder.encode, gate.desk.submit, gate.desk.answer

    async def place_order(request: Request) -> Response:
        caller = await gate.caller(request, Scope.TRADE)
        wait = gate.order_rates.take(caller.user_id)
        if wait:
            raise too_fast(wait)
        key = command_id(request)
        order = decode(await request.body())
        gate.trades(caller, order.account)
        made = answer(await submit(encode(command(order, key), 0))).checked()
        if made.repeat:
            return reply(await gate.records.order_again(made, order.account))
        return Response(_ENCODE.encode(summary(order, made)), 201, media_type="application/json")

    return place_order


def decode(body: bytes) -> OrderRequest:
    """An order from JSON; raises `Problem`."""
    try:
        return _DECODE.decode(body)
    except msgspec.ValidationError as error:
        text = str(error)
        places = _PLACE.findall(text)
        field = next((a or b for a, b in reversed(places)), "")
        raise invalid(field, plain(text.partition(" - at ")[0])) from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise invalid("", "the body is not valid JSON") from None


def command(order: OrderRequest, key: str) -> c.PlaceOrder:
    """The engine's command."""
    return c.PlaceOrder(
        id=key,
        account=order.account,
        instrument=order.instrument,
        side=Side.BUY if order.side == "buy" else Side.SELL,
        volume=Decimal(order.volume),
        type=_TYPES[order.type],
        tif=_TIFS[order.tif],
        price=_decimal(order.price),
        limit_price=_decimal(order.limit_price),
        sl=_decimal(order.sl),
        tp=_decimal(order.tp),
        trailing=order.trailing,
        trailing_step=order.trailing_step,
        max_deviation=order.max_deviation,
        expire=when(order.expire, "expire"),
        oco=order.oco,
        position=order.position,
        tag=order.tag,
        leverage=order.leverage,
    )


def when(text: str | None, field: str) -> int:
    """RFC 3339 text of a request as UTC nanoseconds, 0 for none; raises `Problem`."""
    if text is None:
        return 0
    try:
        ns = nanoseconds(text)
    except (ValueError, OverflowError):
        raise invalid(field, "it is not an RFC 3339 time") from None
    if not 0 < ns < 2**63:
        raise invalid(field, "the time is out of range")
    return ns


def summary(order: OrderRequest, made: Reply) -> OrderAnswer:
    """The answer to an order that was just placed."""
    state, filled, value, position = OrderState.WORKING, Decimal(0), Decimal(0), None
    for event in made.outcome:
        if isinstance(event, e.Fill):
            if event.order == made.reference:
                filled += event.volume
                value += event.volume * event.price
                position = event.position
                digits = event.price.as_tuple().exponent
        elif isinstance(event, e.OrderUpdated) and event.order == made.reference:
            state = event.state
    price = None
    if filled:
        price = number((value / filled).quantize(Decimal(1).scaleb(int(digits))))
    return OrderAnswer(
        order=made.reference,
        account=order.account,
        code=int(made.code),
        name=made.code.name,
        state=state.name.lower(),
        volume=order.volume,
        filled=number(filled),
        price=price,
        position=position,
        repeat=False,
        time=rfc3339(made.ts),
        seq=made.seq,
    )


def openapi() -> tuple[dict[str, Any], dict[str, Any]]:
    """The operation, and the schemas it refers to."""
    (request, answer), schemas = msgspec.json.schema_components(
        (OrderRequest, OrderAnswer), ref_template="#/components/schemas/{name}"
    )
    operation = {
        "tags": ["orders"],
        "summary": "Place an order",
        "description": "Answers when the order is durable. A market order is filled by then.",
        "operationId": "place_order",
        "parameters": [
            {
                "name": "Idempotency-Key",
                "in": "header",
                "required": False,
                "schema": {"type": "string", "pattern": KEY_PATTERN},
            }
        ],
        "requestBody": {"required": True, "content": {"application/json": {"schema": request}}},
        "responses": {
            "201": {
                "description": "Placed",
                "content": {"application/json": {"schema": answer}},
            },
            "200": {
                "description": "Placed before under the same key",
                "content": {"application/json": {"schema": answer}},
            },
        },
    }
    return operation, schemas


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def too_fast(wait: float) -> Problem:
    """429, come back in `wait` seconds."""
    headers = {"Retry-After": str(max(1, int(wait + 0.999)))}
    return Problem(429, ReturnCode.TOO_FREQUENT, MEANINGS[ApiCode.RATE_LIMITED], headers=headers)
