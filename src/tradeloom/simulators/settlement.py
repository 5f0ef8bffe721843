"""How orders turn into trades and trades into money: matching, locking, ending, triggering."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tradeloom.domain.enums import Side
from tradeloom.domain.market import TradeTick
from tradeloom.simulators.accounts import (
    PPM,
    Account,
    cost_of,
    fee_of,
    is_spot,
    margin_used,
    sorted_assets,
    trade_position,
    unrealised,
)
from tradeloom.simulators.admission import Admitted, admitted
from tradeloom.simulators.figures import divided
from tradeloom.simulators.orders import (
    BalanceEvent,
    Change,
    Fill,
    Force,
    NewOrder,
    Order,
    OrderKind,
    Reason,
    Refused,
    Status,
    opposite,
)

if TYPE_CHECKING:
    from tradeloom.simulators.exchange import Exchange, Market


class Settlement:
    """The inner half of an `Exchange`."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    # ---- means -------------------------------------------------------------------------------

    def available(self, account: Account, asset: str) -> int:
        """What may be spent or bound: free money, less what positions and their orders bind."""
        free = account.balance(asset).free
        for (symbol, _), position in account.positions.items():
            market = self._exchange.markets[symbol]
            if market.instrument.settle == asset and position.size:
                free += min(0, unrealised(market.instrument, position, market.mark))
                free -= margin_used(market.instrument, position, market.mark)
        return free

    def admit(self, account: Account, market: Market, asked: NewOrder) -> Admitted:
        """Whether the order is acceptable and the account can pay for it; raises `Refused`."""
        found = admitted(self._exchange, account, market, asked)
        if is_spot(market.instrument):
            asset = market.instrument.quote if asked.side is Side.BUY else market.instrument.base
            need = found.size
            if asked.side is Side.BUY:
                need = found.cost + self._fee_to_lock(account, market, found.cost)
            if account.balance(asset).free < need:
                raise Refused(Reason.BALANCE, f"not enough {asset}")
        else:
            need = self._order_margin(account, market, asked.side, asked.position, found)
            if not asked.reduce_only and self.available(account, market.instrument.settle) < need:
                raise Refused(
                    Reason.MARGIN, f"not enough {market.instrument.settle} for the margin"
                )
        return found

    def _fee_to_lock(self, account: Account, market: Market, cost: int) -> int:
        fees = account.fees
        if fees.paid_in != "quote":
            return 0
        return max(0, fee_of(cost, max(fees.maker_ppm, fees.taker_ppm)))

    def _order_margin(
        self, account: Account, market: Market, side: Side, position: str, found: Admitted
    ) -> int:
        held = account.position(market.instrument.symbol, position)
        against = held.size if side is Side.SELL else -held.size
        opening = max(0, found.size - max(0, against))
        if not opening:
            return 0
        return -(-(found.cost * opening // max(1, found.size)) // max(1, held.leverage))

    def lock(self, account: Account, market: Market, order: Order) -> None:
        """Bind what the rest of an order may still cost; releases what it no longer needs."""
        asset, need = self._lock_of(account, market, order)
        balance = account.balance(asset)
        balance.free += order.locked - need
        balance.locked += need - order.locked
        order.locked = need

    def _lock_of(self, account: Account, market: Market, order: Order) -> tuple[str, int]:
        instrument = market.instrument
        spot = is_spot(instrument)
        asset = instrument.settle if not spot else instrument.quote
        if spot and order.side is Side.SELL:
            asset = instrument.base
        # Market orders pay as they go: they never rest.
        resting = order.kind is OrderKind.LIMIT or order.status is Status.WAITING
        if not order.status.open or not resting or order.asked.reduce_only:
            return asset, 0
        if spot and order.side is Side.SELL:
            return asset, order.left
        cost = cost_of(instrument, order.price or order.stop_price, order.left)
        if spot:
            return asset, cost + self._fee_to_lock(account, market, cost)
        found = Admitted(order.left, cost)
        return asset, self._order_margin(account, market, order.side, order.asked.position, found)

    # ---- matching ----------------------------------------------------------------------------

    def work(self, market: Market, order: Order) -> None:
        """Match an order that just became active, then rest or expire what is left."""
        if order.asked.reduce_only and not self._fits_position(market, order):
            return
        limit = order.price if order.kind is OrderKind.LIMIT else None
        whole = order.asked.force is Force.FOK
        if whole and market.book.available(order.side, limit, order.account) < order.left:
            self.end(market, order, Status.EXPIRED, Reason.NOT_FILLED)
            return
        if order.asked.post_only and market.book.crosses(order.side, order.price):
            self.end(market, order, Status.EXPIRED, Reason.WOULD_TAKE)
            return
        while order.left and order.status.open:
            take = market.book.next_take(order.side, limit)
            if take is None:
                break
            own = take.maker is not None and take.maker.account == order.account
            if own and take.maker and self._self_trade(market, order, take.maker):
                continue
            size = min(order.left, take.size)
            if take.maker is None:
                market.book.take_outside(order.side, take.price, size)
            self._trade(market, order, take.maker, take.price, size)
        if not order.status.open:
            return
        if order.kind is OrderKind.MARKET or order.asked.force is not Force.GTC:
            nothing = order.kind is OrderKind.MARKET and not order.filled
            why = Reason.NO_LIQUIDITY if nothing else Reason.NOT_FILLED
            self.end(market, order, Status.EXPIRED, why)
        elif order.left:
            market.book.rest(order)

    def _held_against(self, order: Order) -> int:
        """The position that an order reduces."""
        account = self._exchange.accounts[order.account]
        held = account.position(order.symbol, order.asked.position).size
        return held if order.side is Side.SELL else -held

    def _fits_position(self, market: Market, order: Order) -> bool:
        """Make a reduce-only order no larger than its position; False when it is over by that."""
        held = self._held_against(order)
        if held <= 0:
            self.end(market, order, Status.EXPIRED, Reason.REDUCE_ONLY)
        elif order.left > held:
            order.size = order.filled + held
            if order in self._queue(market, order):
                market.book.touch(order)
                self._exchange.tell(order, Change.AMENDED)
        return held > 0

    def fit_positions(self, market: Market) -> None:
        """Resting reduce-only orders never become more than what is left to reduce."""
        if not market.moved:
            return
        market.moved = False
        symbol = market.instrument.symbol
        for held in list(self._exchange.books.open.values()):
            for order in list(held.values()):
                if (
                    order.asked.reduce_only
                    and order.symbol == symbol
                    and (order.status is not Status.WAITING)
                ):
                    self._fits_position(market, order)

    def _self_trade(self, market: Market, taker: Order, maker: Order) -> bool:
        """Prevent a trade of an account with itself; False when it is allowed."""
        mode = self._exchange.self_trade
        if mode == "allow":
            return False
        if mode in ("expire_maker", "expire_both"):
            self.end(market, maker, Status.EXPIRED, Reason.SELF_TRADE)
        if mode in ("expire_taker", "expire_both"):
            self.end(market, taker, Status.EXPIRED, Reason.SELF_TRADE)
        return True

    def _trade(
        self, market: Market, taker: Order | None, maker: Order | None, price: int, size: int,
        ts_ns: int = 0,
    ) -> None:  # fmt: skip
        """One trade; a missing side is the outside market."""
        market.trade_id += 1
        trade_id = market.trade_id
        side = taker.side if taker else opposite(maker.side) if maker else Side.BUY
        if maker is not None:
            maker.filled += size
            market.book.touch(maker)
            if not maker.left:
                market.book.remove(maker)
        if taker is not None:
            taker.filled += size
        for order, is_maker in ((taker, False), (maker, True)):
            if order is not None:
                self._settle(market, order, price, size, trade_id, is_maker)
        self._exchange.print_trade(market, price, size, side, trade_id, ts_ns)

    def _settle(
        self, market: Market, order: Order, price: int, size: int, trade_id: int, maker: bool
    ) -> None:
        exchange, instrument = self._exchange, market.instrument
        account = exchange.accounts[order.account]
        cost = cost_of(instrument, price, size)
        order.cost += cost
        order.status = Status.PARTIALLY_FILLED if order.left else Status.FILLED
        ppm = account.fees.maker_ppm if maker else account.fees.taker_ppm
        realised = 0
        if is_spot(instrument):
            self.lock(account, market, order)
            fee_asset, fee = self._exchange_assets(account, market, order.side, size, cost, ppm)
            changed = sorted_assets((instrument.base, instrument.quote, fee_asset))
            symbols: tuple[str, ...] = ()
        else:
            fee_asset, fee = instrument.settle, fee_of(cost, ppm)
            position = account.position(order.symbol, order.asked.position)
            realised = trade_position(instrument, position, order.side, size, cost)
            position.updated_ns = exchange.clock.now_ns()
            market.moved = True
            account.balance(fee_asset).free += realised - fee
            self.lock(account, market, order)
            changed, symbols = (fee_asset,), (order.symbol,)
        order.fees += fee
        order.fee_asset = fee_asset
        now = exchange.clock.now_ns()
        fill = Fill(
            trade_id=trade_id, order_id=order.id, client_id=order.client_id,
            account=order.account, symbol=order.symbol, side=order.side, price=price, size=size,
            cost=cost, maker=maker, fee=fee, fee_asset=fee_asset, realised=realised, ts_ns=now,
            position=order.asked.position,
        )  # fmt: skip
        exchange.books.add_fill(fill)
        if not order.status.open:
            exchange.books.close(order)
        exchange.tell(order, Change.TRADE, fill)
        exchange.listener.on_account(
            BalanceEvent(
                account=order.account, assets=changed, symbols=symbols, cause="trade", ts_ns=now
            )
        )

    @staticmethod
    def _exchange_assets(
        account: Account, market: Market, side: Side, size: int, cost: int, ppm: int
    ) -> tuple[str, int]:
        """Move both assets of a spot trade; the asset and amount of the fee."""
        instrument = market.instrument
        base, quote = account.balance(instrument.base), account.balance(instrument.quote)
        gross = size if side is Side.BUY else cost
        if side is Side.BUY:
            base.free += size
            quote.free -= cost
        else:
            base.free -= size
            quote.free += cost
        in_quote = account.fees.paid_in == "quote" or side is Side.SELL
        fee = fee_of(cost if in_quote else gross, ppm)
        asset = instrument.quote if in_quote else instrument.base
        account.balance(asset).free -= fee
        return asset, fee

    # ---- ending and changing -----------------------------------------------------------------

    def end(self, market: Market, order: Order, status: Status, reason: Reason) -> None:
        """An open order is over without being filled."""
        if order.status is Status.WAITING:
            market.waiting.remove(order)
        resting = order.status is not Status.WAITING and order in self._queue(market, order)
        order.status, order.reason = status, reason
        if resting:
            market.book.remove(order)
        account = self._exchange.accounts[order.account]
        self.lock(account, market, order)
        self._exchange.books.close(order)
        change = Change.CANCELED if status is Status.CANCELED else Change.EXPIRED
        self._exchange.tell(order, change)
        self.tell_balance(market, order)

    def tell_balance(self, market: Market, order: Order) -> None:
        """Tell that a spot order bound or freed money."""
        if is_spot(market.instrument):
            asset = market.instrument.quote if order.side is Side.BUY else market.instrument.base
            self._exchange.listener.on_account(
                BalanceEvent(
                    account=order.account, assets=(asset,), symbols=(), cause="order",
                    ts_ns=self._exchange.clock.now_ns(),
                )
            )  # fmt: skip

    @staticmethod
    def _queue(market: Market, order: Order) -> list[Order]:
        return market.book.queue(order.side, order.price)

    def amend(
        self, market: Market, order: Order, price: int | None, size: int | None,
        client_id: str | None, stop_price: int | None, must_reduce: bool,
    ) -> None:  # fmt: skip
        """See `Exchange.amend`."""
        instrument = market.instrument
        new_price = order.price if price is None else price
        new_size = order.size if size is None else size
        tick, step = max(1, instrument.tick), max(1, instrument.step)
        if new_price % tick or (new_price <= 0 and order.kind is OrderKind.LIMIT):
            raise Refused(Reason.BAD_PRICE, "the price is not a positive multiple of the tick")
        if new_size % step or new_size <= order.filled or new_size < instrument.volume_min:
            raise Refused(Reason.BAD_SIZE, "the size is no multiple of the step, or already traded")
        keeps = new_price == order.price and new_size <= order.size
        if must_reduce and (not keeps or new_size == order.size):
            raise Refused(Reason.NOT_SMALLER, "only the size may change, and only to less", order)
        waiting = order.status is Status.WAITING
        if order.asked.post_only and not keeps and market.book.crosses(order.side, new_price):
            raise Refused(Reason.WOULD_TAKE, "a post-only order would trade at once", order)
        account = self._exchange.accounts[order.account]
        if not keeps:
            self._can_pay(account, market, order, new_price, new_size)
        if not waiting and not keeps:
            market.book.remove(order)
        order.price, order.size = new_price, new_size
        order.stop_price = order.stop_price if stop_price is None else stop_price
        order.amended += 1
        if client_id is not None:
            self._exchange.books.rename(order, client_id)
        self.lock(account, market, order)
        self._exchange.tell(order, Change.AMENDED)
        self.tell_balance(market, order)
        if waiting:
            return
        if keeps:
            market.book.touch(order)
        else:
            self.work(market, order)

    def _can_pay(
        self, account: Account, market: Market, order: Order, price: int, size: int
    ) -> None:
        before = order.price, order.size
        order.price, order.size = price, size
        asset, need = self._lock_of(account, market, order)
        order.price, order.size = before
        spot = is_spot(market.instrument)
        free = account.balance(asset).free if spot else self.available(account, asset)
        if need - order.locked > free:
            raise Refused(Reason.BALANCE if spot else Reason.MARGIN, f"not enough {asset}", order)

    # ---- the outside market ------------------------------------------------------------------

    def outside_trade(self, market: Market, trade: TradeTick) -> None:
        """A trade of the outside market: our orders in its way fill first, the rest is printed."""
        left = trade.size
        takers = (trade.side,) if trade.side is not None else (Side.BUY, Side.SELL)
        for taker in takers:
            for order, size in market.book.hit_by(taker, trade.price, trade.size):
                self._trade(market, None, order, order.price, size, trade.venue_ns)
                left -= size
        if left > 0:
            market.trade_id += 1
            self._exchange.print_trade(
                market, trade.price, left, takers[0], market.trade_id, trade.venue_ns
            )

    def fill_crossed(self, market: Market) -> None:
        """The outside market moved over orders of ours: they fill at their price."""
        for order, size, outside in market.book.crossed_orders():
            market.book.take_outside(order.side, outside, size)
            self._trade(market, None, order, order.price, size)

    def trigger(self, market: Market) -> None:
        """Activate the stops that the last price reached, and those their trades reach in turn."""
        while market.waiting:
            order = next(
                (each for each in market.waiting if self._reached(each, market.last)), None
            )
            if order is None:
                return
            market.waiting.remove(order)
            order.status, order.triggered = Status.NEW, True
            self._exchange.tell(order, Change.TRIGGERED)
            self.lock(self._exchange.accounts[order.account], market, order)
            self.work(market, order)

    def _reached(self, order: Order, last: int) -> bool:
        if not last:
            return False
        if order.asked.trail_ppm:
            self._trail(order, last)
        return last >= order.stop_price if order.asked.stop_rising else last <= order.stop_price

    @staticmethod
    def _trail(order: Order, last: int) -> None:
        ppm = order.asked.trail_ppm
        if order.asked.stop_rising:
            order.stop_price = min(order.stop_price, divided(last * (PPM + ppm), PPM))
        else:
            order.stop_price = max(order.stop_price, divided(last * (PPM - ppm), PPM))

    def charge_funding(self, market: Market, rate_ppm: int) -> None:
        """See `Exchange.charge_funding`."""
        for account in self._exchange.accounts.values():
            for (symbol, _), position in account.positions.items():
                if symbol != market.instrument.symbol or not position.size:
                    continue
                worth = cost_of(market.instrument, market.mark, abs(position.size))
                paid = fee_of(worth, rate_ppm)
                settle = market.instrument.settle
                amount = -paid if position.size > 0 else paid
                account.balance(settle).free += amount
                self._exchange.listener.on_account(
                    BalanceEvent(
                        account=account.name, assets=(settle,), symbols=(symbol,),
                        cause="funding", ts_ns=self._exchange.clock.now_ns(), amount=amount,
                    )
                )  # fmt: skip
