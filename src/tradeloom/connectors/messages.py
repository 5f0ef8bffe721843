"""The contract's values as messages of proto/tradeloom/venue/v1, and back.

Numbers keep their exact form: mantissas and sizes as integers, decimals of orders as text.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from enum import IntEnum
from typing import Any, Final

from tradeloom.connectors import contract as c
from tradeloom.connectors.proto import venue_pb2 as pb
from tradeloom.domain import market as m
from tradeloom.domain.enums import OrderState, OrderType, ReturnCode, Side, TimeInForce

_SIDES: Final[dict[int, Side]] = {
    int(pb.SIDE_BUY): Side.BUY,
    int(pb.SIDE_SELL): Side.SELL,
}


class BadMessage(ValueError):  # noqa: N818
    """A message that means nothing; the text names the field."""


def _side(value: int) -> Side:
    found = _SIDES.get(value)
    if found is None:
        raise BadMessage("side: SIDE_BUY or SIDE_SELL")
    return found


def _side_out(side: Side | None) -> pb.Side:
    if side is None:
        return pb.SIDE_UNSPECIFIED
    return pb.SIDE_BUY if side is Side.BUY else pb.SIDE_SELL


def number(value: IntEnum) -> Any:
    """Enumerations have the same numbers on both sides (a test holds them together)."""
    return int(value)


def _text(value: Decimal | None) -> str:
    return "" if value is None else format(value, "f")


def _decimal(text: str, field: str) -> Decimal:
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise BadMessage(f"{field}: {text[:40]!r} is not a decimal number") from None
    if not value.is_finite():
        raise BadMessage(f"{field}: must be finite")
    return value


def _maybe(text: str, field: str) -> Decimal | None:
    return _decimal(text, field) if text else None


# -- market data -----------------------------------------------------------------------------------


def instrument_out(at: m.VenueInstrument) -> pb.Instrument:
    """An instrument as a message."""
    return pb.Instrument(
        venue=at.venue,
        symbol=at.symbol,
        wire=at.wire,
        kind=at.kind.value,
        base=at.base,
        quote=at.quote,
        settle=at.settle,
        digits=at.digits,
        tick_points=at.tick,
        step_units=at.step,
        volume_min_units=at.volume_min,
        volume_max_units=at.volume_max,
        notional_min=_text(at.notional_min),
        contract_size=_text(at.contract_size),
        contract_currency=at.contract_currency,
        inverse=at.inverse,
        trading=at.trading,
        wire_code=at.wire_code,
    )


def instrument_in(message: pb.Instrument) -> m.VenueInstrument:
    """The instrument of a message."""
    return m.VenueInstrument(
        venue=message.venue,
        symbol=message.symbol,
        wire=message.wire,
        kind=m.InstrumentKind(message.kind),
        base=message.base,
        quote=message.quote,
        settle=message.settle,
        digits=message.digits,
        tick=message.tick_points,
        step=message.step_units,
        volume_min=message.volume_min_units,
        volume_max=message.volume_max_units,
        notional_min=_decimal(message.notional_min or "0", "notional_min"),
        contract_size=_decimal(message.contract_size or "1", "contract_size"),
        contract_currency=message.contract_currency,
        inverse=message.inverse,
        trading=message.trading,
        wire_code=message.wire_code,
    )


def book_out(event: m.BookDelta) -> pb.Book:
    """A book event as a message: prices and sizes in turn."""
    return pb.Book(
        venue=event.venue,
        symbol=event.symbol,
        digits=event.digits,
        snapshot=event.snapshot,
        bids=[number for level in event.bids for number in level],
        asks=[number for level in event.asks for number in level],
        venue_ns=event.venue_ns,
        recv_ns=event.recv_ns,
        first_seq=event.first_seq,
        seq=event.seq,
        previous=event.previous,
    )


def book_in(message: pb.Book) -> m.BookDelta:
    """The book event of a message."""
    if len(message.bids) % 2 or len(message.asks) % 2:
        raise BadMessage("book: levels are pairs")
    return m.BookDelta(
        message.venue,
        message.symbol,
        message.digits,
        message.snapshot,
        tuple(zip(message.bids[::2], message.bids[1::2], strict=True)),
        tuple(zip(message.asks[::2], message.asks[1::2], strict=True)),
        message.venue_ns,
        message.recv_ns,
        message.first_seq,
        message.seq,
        message.previous,
    )


def market_out(event: m.MarketEvent) -> pb.MarketEvent:
    """A market event as a message."""
    if isinstance(event, m.BookQuote):
        quote = pb.Quote(
            venue=event.venue,
            symbol=event.symbol,
            digits=event.digits,
            bid_points=event.bid,
            ask_points=event.ask,
            bid_units=event.bid_size,
            ask_units=event.ask_size,
            venue_ns=event.venue_ns,
            recv_ns=event.recv_ns,
            seq=event.seq,
        )
        return pb.MarketEvent(quote=quote)
    if isinstance(event, m.TradeTick):
        trade = pb.Trade(
            venue=event.venue,
            symbol=event.symbol,
            digits=event.digits,
            price_points=event.price,
            size_units=event.size,
            side=_side_out(event.side),
            trade_id=event.trade_id,
            venue_ns=event.venue_ns,
            recv_ns=event.recv_ns,
        )
        return pb.MarketEvent(trade=trade)
    if isinstance(event, m.BookDelta):
        return pb.MarketEvent(book=book_out(event))
    if isinstance(event, m.Funding):
        funding = pb.FundingRate(
            venue=event.venue,
            symbol=event.symbol,
            digits=event.digits,
            rate=_text(event.rate),
            mark_points=event.mark,
            index_points=event.index,
            next_ns=event.next_ns,
            venue_ns=event.venue_ns,
            recv_ns=event.recv_ns,
        )
        return pb.MarketEvent(funding=funding)
    status = pb.FeedStatus(
        venue=event.venue,
        symbol=event.symbol,
        state=int(event.state),
        reason=event.reason,
        recv_ns=event.recv_ns,
    )
    return pb.MarketEvent(status=status)


def market_in(message: pb.MarketEvent) -> m.MarketEvent:
    """The market event of a message."""
    kind = message.WhichOneof("event")
    if kind == "quote":
        q = message.quote
        return m.BookQuote(
            q.venue,
            q.symbol,
            q.digits,
            q.bid_points,
            q.ask_points,
            q.bid_units,
            q.ask_units,
            q.venue_ns,
            q.recv_ns,
            q.seq,
        )
    if kind == "trade":
        t = message.trade
        side = None if t.side == pb.SIDE_UNSPECIFIED else _side(t.side)
        return m.TradeTick(
            t.venue,
            t.symbol,
            t.digits,
            t.price_points,
            t.size_units,
            side,
            t.trade_id,
            t.venue_ns,
            t.recv_ns,
        )
    if kind == "book":
        return book_in(message.book)
    if kind == "funding":
        f = message.funding
        return m.Funding(
            f.venue,
            f.symbol,
            f.digits,
            _decimal(f.rate, "rate"),
            f.mark_points,
            f.index_points,
            f.next_ns,
            f.venue_ns,
            f.recv_ns,
        )
    if kind == "status":
        s = message.status
        return m.FeedStatus(s.venue, s.symbol, m.FeedState(s.state), s.reason, s.recv_ns)
    raise BadMessage("a market event without an event")


def bar_out(bar: m.HistoricBar) -> pb.Bar:
    """A bar as a message."""
    return pb.Bar(
        start_ns=bar.start_ns,
        open_points=bar.open,
        high_points=bar.high,
        low_points=bar.low,
        close_points=bar.close,
        volume_units=bar.volume,
    )


def bar_in(bar: pb.Bar) -> m.HistoricBar:
    """The bar of a message."""
    return m.HistoricBar(
        bar.start_ns,
        bar.open_points,
        bar.high_points,
        bar.low_points,
        bar.close_points,
        bar.volume_units,
    )


# -- orders ----------------------------------------------------------------------------------------


def request_out(request: c.OrderRequest) -> pb.OrderRequest:
    """An order request as a message."""
    return pb.OrderRequest(
        client_id=request.client_id,
        symbol=request.symbol,
        side=_side_out(request.side),
        volume=_text(request.volume),
        type=number(request.type),
        price=_text(request.price),
        stop_price=_text(request.stop_price),
        tif=number(request.tif),
        post_only=request.post_only,
        reduce_only=request.reduce_only,
        expire_ns=request.expire_ns,
    )


def request_in(message: pb.OrderRequest) -> c.OrderRequest:
    """The order request of a message. Raises BadMessage."""
    try:
        kind, tif = OrderType(message.type), TimeInForce(message.tif)
    except ValueError:
        raise BadMessage("type or tif: a number nobody knows") from None
    return c.OrderRequest(
        client_id=message.client_id,
        symbol=message.symbol,
        side=_side(message.side),
        volume=_decimal(message.volume, "volume"),
        type=kind,
        price=_maybe(message.price, "price"),
        stop_price=_maybe(message.stop_price, "stop_price"),
        tif=tif,
        post_only=message.post_only,
        reduce_only=message.reduce_only,
        expire_ns=message.expire_ns,
    )


def amendment_out(change: c.Amendment) -> pb.Amendment:
    """An amendment as a message."""
    return pb.Amendment(
        client_id=change.client_id, price=_text(change.price), volume=_text(change.volume)
    )


def amendment_in(message: pb.Amendment) -> c.Amendment:
    """The amendment of a message. Raises BadMessage."""
    return c.Amendment(
        client_id=message.client_id,
        price=_maybe(message.price, "price"),
        volume=_maybe(message.volume, "volume"),
    )


def answer_out(answer: c.OrderAnswer) -> pb.OrderAnswer:
    """An answer as a message."""
    return pb.OrderAnswer(
        client_id=answer.client_id,
        outcome=number(answer.outcome),
        venue_order_id=answer.venue_order_id,
        code=int(answer.code),
        field=answer.field,
        venue_code=answer.venue_code,
        message=answer.message,
        sent_ns=answer.sent_ns,
        answered_ns=answer.answered_ns,
    )


def answer_in(message: pb.OrderAnswer) -> c.OrderAnswer:
    """The answer of a message."""
    return c.OrderAnswer(
        client_id=message.client_id,
        outcome=c.Outcome(message.outcome),
        venue_order_id=message.venue_order_id,
        code=ReturnCode(message.code),
        field=message.field,
        venue_code=message.venue_code,
        message=message.message,
        sent_ns=message.sent_ns,
        answered_ns=message.answered_ns,
    )


def order_out(order: c.VenueOrder) -> pb.Order:
    """An order as a message."""
    return pb.Order(
        venue=order.venue,
        account=order.account,
        client_id=order.client_id,
        venue_order_id=order.venue_order_id,
        symbol=order.symbol,
        side=_side_out(order.side),
        type=number(order.type),
        tif=number(order.tif),
        volume=_text(order.volume),
        filled=_text(order.filled),
        price=_text(order.price),
        average=_text(order.average),
        state=int(order.state),
        external=order.origin is c.Origin.EXTERNAL,
        reason=order.reason,
        venue_ns=order.venue_ns,
    )


def order_in(message: pb.Order) -> c.VenueOrder:
    """The order of a message."""
    return c.VenueOrder(
        venue=message.venue,
        account=message.account,
        client_id=message.client_id,
        venue_order_id=message.venue_order_id,
        symbol=message.symbol,
        side=_side(message.side),
        type=OrderType(message.type),
        tif=TimeInForce(message.tif),
        volume=_decimal(message.volume, "volume"),
        filled=_decimal(message.filled, "filled"),
        price=_maybe(message.price, "price"),
        average=_maybe(message.average, "average"),
        state=OrderState(message.state),
        origin=c.Origin.EXTERNAL if message.external else c.Origin.OURS,
        reason=message.reason,
        venue_ns=message.venue_ns,
    )


def fill_out(fill: c.VenueFill) -> pb.Fill:
    """A fill as a message."""
    return pb.Fill(
        venue=fill.venue,
        account=fill.account,
        trade_id=fill.trade_id,
        venue_order_id=fill.venue_order_id,
        client_id=fill.client_id,
        symbol=fill.symbol,
        side=_side_out(fill.side),
        price=_text(fill.price),
        volume=_text(fill.volume),
        fee=_text(fill.fee),
        fee_currency=fill.fee_currency,
        maker=fill.maker,
        venue_ns=fill.venue_ns,
        recv_ns=fill.recv_ns,
    )


def fill_in(message: pb.Fill) -> c.VenueFill:
    """The fill of a message."""
    return c.VenueFill(
        venue=message.venue,
        account=message.account,
        trade_id=message.trade_id,
        venue_order_id=message.venue_order_id,
        client_id=message.client_id,
        symbol=message.symbol,
        side=_side(message.side),
        price=_decimal(message.price, "price"),
        volume=_decimal(message.volume, "volume"),
        fee=_decimal(message.fee or "0", "fee"),
        fee_currency=message.fee_currency,
        maker=message.maker if message.HasField("maker") else None,
        venue_ns=message.venue_ns,
        recv_ns=message.recv_ns,
    )


def balance_out(balance: c.VenueBalance) -> pb.Balance:
    """A balance as a message."""
    return pb.Balance(
        venue=balance.venue,
        account=balance.account,
        currency=balance.currency,
        total=_text(balance.total),
        free=_text(balance.free),
        venue_ns=balance.venue_ns,
    )


def balance_in(message: pb.Balance) -> c.VenueBalance:
    """The balance of a message."""
    return c.VenueBalance(
        venue=message.venue,
        account=message.account,
        currency=message.currency,
        total=_decimal(message.total, "total"),
        free=_decimal(message.free, "free"),
        venue_ns=message.venue_ns,
    )


def position_out(position: c.VenuePosition) -> pb.Position:
    """A position as a message."""
    return pb.Position(
        venue=position.venue,
        account=position.account,
        symbol=position.symbol,
        volume=_text(position.volume),
        entry_price=_text(position.entry_price),
        unrealised=_text(position.unrealised),
        venue_ns=position.venue_ns,
    )


def position_in(message: pb.Position) -> c.VenuePosition:
    """The position of a message."""
    return c.VenuePosition(
        venue=message.venue,
        account=message.account,
        symbol=message.symbol,
        volume=_decimal(message.volume, "volume"),
        entry_price=_maybe(message.entry_price, "entry_price"),
        unrealised=_maybe(message.unrealised, "unrealised"),
        venue_ns=message.venue_ns,
    )


def account_out(event: c.AccountEvent) -> pb.AccountEvent:
    """An account event as a message."""
    if isinstance(event, c.VenueOrder):
        return pb.AccountEvent(order=order_out(event))
    if isinstance(event, c.VenueFill):
        return pb.AccountEvent(fill=fill_out(event))
    if isinstance(event, c.VenueBalance):
        return pb.AccountEvent(balance=balance_out(event))
    if isinstance(event, c.VenuePosition):
        return pb.AccountEvent(position=position_out(event))
    state = pb.StateChange(
        venue=event.venue,
        account=event.account,
        state=event.state.value,
        reason=event.reason,
        recv_ns=event.recv_ns,
    )
    return pb.AccountEvent(state=state)


def account_in(message: pb.AccountEvent) -> c.AccountEvent:
    """The account event of a message."""
    kind = message.WhichOneof("event")
    if kind == "order":
        return order_in(message.order)
    if kind == "fill":
        return fill_in(message.fill)
    if kind == "balance":
        return balance_in(message.balance)
    if kind == "position":
        return position_in(message.position)
    if kind == "state":
        s = message.state
        return c.StateChange(
            venue=s.venue,
            account=s.account,
            state=c.State(s.state),
            reason=s.reason,
            recv_ns=s.recv_ns,
        )
    raise BadMessage("an account event without an event")
