"""Which orders an exchange accepts: one guard per rule, each refusal a named reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tradeloom.domain.enums import Side
from tradeloom.domain.market import SIZE_DIGITS
from tradeloom.simulators.accounts import Account, cost_of, is_spot, size_for
from tradeloom.simulators.figures import scaled
from tradeloom.simulators.limits import OPEN_ORDERS_MAX
from tradeloom.simulators.orders import Force, NewOrder, OrderKind, Reason, Refused, opposite

if TYPE_CHECKING:
    from tradeloom.simulators.exchange import Exchange, Market


class Admitted(NamedTuple):
    """What an order comes down to: its size, and the money it needs at most."""

    size: int
    cost: int


def admitted(exchange: Exchange, account: Account, market: Market, asked: NewOrder) -> Admitted:
    """Everything but the account's means; raises `Refused`."""
    if market.halted:
        raise Refused(Reason.HALTED, "the instrument does not trade")
    if len(exchange.books.open.get(account.name, ())) >= OPEN_ORDERS_MAX * len(exchange.markets):
        raise Refused(Reason.TOO_MANY, "too many open orders")
    known = exchange.books.find(account.name, None, asked.client_id)
    if known is not None and known.status.open:
        raise Refused(Reason.DUPLICATE_CLIENT_ID, "an open order has this client id", known)
    price = _price(market, asked)
    size = _size(market, asked)
    worth_at = asked.price or asked.stop_price or market.mark
    instrument = market.instrument
    if not asked.reduce_only and worth_at:
        least = scaled(f"{instrument.notional_min:f}", SIZE_DIGITS)
        if cost_of(instrument, worth_at, size) < least:
            raise Refused(Reason.TOO_SMALL, "the order is worth less than the minimum notional")
    if asked.reduce_only:
        size = _reducing(account, market, asked, size)
    if asked.stop_price and market.last:
        reached = (
            market.last >= asked.stop_price
            if asked.stop_rising
            else market.last <= asked.stop_price
        )
        if reached and not asked.trail_ppm:
            raise Refused(Reason.WOULD_TRIGGER, "the stop would trigger immediately")
    if asked.post_only and not asked.stop_price and market.book.crosses(asked.side, asked.price):
        raise Refused(Reason.WOULD_TAKE, "a post-only order would trade at once")
    return Admitted(size, _needs(market, asked, price, size))


def _price(market: Market, asked: NewOrder) -> int:
    tick = max(1, market.instrument.tick)
    if asked.kind is OrderKind.LIMIT and (asked.price <= 0 or asked.price % tick):
        raise Refused(Reason.BAD_PRICE, "the price is not a positive multiple of the tick")
    if asked.stop_price < 0 or asked.stop_price % tick:
        raise Refused(Reason.BAD_PRICE, "the stop price is not a multiple of the tick")
    if asked.kind is OrderKind.MARKET and asked.post_only:
        raise Refused(Reason.BAD_ORDER, "a market order cannot be post-only")
    if asked.post_only and asked.force is not Force.GTC:
        raise Refused(Reason.BAD_ORDER, "a post-only order must be good till cancelled")
    return asked.price


def _size(market: Market, asked: NewOrder) -> int:
    instrument = market.instrument
    step = max(1, instrument.step)
    size = asked.size
    if asked.quote_amount and not size:
        size = size_of_money(market, asked.side, asked.quote_amount)
        if not size:
            raise Refused(Reason.NO_LIQUIDITY, "nothing can be bought or sold for that amount")
    if size <= 0 or size % step:
        raise Refused(Reason.BAD_SIZE, "the size is not a positive multiple of the step")
    if size < instrument.volume_min:
        raise Refused(Reason.BAD_SIZE, "the size is below the minimum")
    if instrument.volume_max and size > instrument.volume_max:
        raise Refused(Reason.BAD_SIZE, "the size is above the maximum")
    return size


def _reducing(account: Account, market: Market, asked: NewOrder, size: int) -> int:
    position = account.position(market.instrument.symbol, asked.position)
    held = position.size if asked.side is Side.SELL else -position.size
    if held <= 0:
        raise Refused(Reason.REDUCE_ONLY, "there is no position to reduce")
    return min(size, held)


def size_of_money(market: Market, side: Side, money: int) -> int:
    """The size, in whole steps, that a market order for `money` would trade now."""
    step = max(1, market.instrument.step)
    total = 0
    for price, size in market.book.levels(opposite(side)):
        part = min(size, size_for(market.instrument, money, price))
        total += part
        money -= cost_of(market.instrument, price, part)
        if part < size:
            break
    return total // step * step


def walk_cost(market: Market, side: Side, size: int) -> int:
    """The money a market order of `size` would trade for now."""
    total = 0
    for price, there in market.book.levels(opposite(side)):
        part = min(size, there)
        total += cost_of(market.instrument, price, part)
        size -= part
        if not size:
            break
    return total


def _needs(market: Market, asked: NewOrder, price: int, size: int) -> int:
    if asked.kind is OrderKind.MARKET and asked.stop_price:
        return cost_of(market.instrument, asked.stop_price, size)
    if asked.kind is OrderKind.MARKET:
        return walk_cost(market, asked.side, size)
    worth_at = price
    if not is_spot(market.instrument) and asked.side is Side.SELL and market.mark:
        # A short is bound at the better of its price and the market, as it would fill there.
        worth_at = max(price, market.mark)
    return cost_of(market.instrument, worth_at, size)
