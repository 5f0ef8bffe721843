"""Schwab: US equities. Orders by REST, news over the streamer, the rest by looking."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar, Final
from urllib.parse import quote, urlencode

from tradeloom.connectors.budgets import BudgetSpent
from tradeloom.connectors.contract import (
    Amendment,
    OrderRequest,
    Unsupported,
    VenueBalance,
    VenueFill,
    VenueOrder,
    VenuePosition,
    VenueUnavailable,
)
from tradeloom.connectors.dialect import (
    AccountOut,
    BookRule,
    Context,
    NoSuchOrder,
    Placed,
    Refusal,
)
from tradeloom.connectors.instruments import Listing
from tradeloom.connectors.link import LoginRefused
from tradeloom.connectors.profile import Need, Profile
from tradeloom.connectors.rest import NotSent, Reply
from tradeloom.connectors.scaling import exact_points, exact_sizes, points, sizes
from tradeloom.connectors.stamps import rfc3339_text
from tradeloom.connectors.venues.schwab import frames as f
from tradeloom.connectors.venues.schwab.calls import ORDER
from tradeloom.connectors.venues.schwab.orders import (
    REPLACED,
    Names,
    body_of,
    fills_of,
    order_of,
    price_text,
    symbol_of,
)
from tradeloom.connectors.venues.schwab.profile import (
    LOOK_S,
    ORDERS_BACK_DAYS,
    ORDERS_MAX,
    POLL_S,
    PROFILE,
    QUOTES_PER_CALL,
    VENUE,
)
from tradeloom.connectors.venues.schwab.streamer import SchwabStreamer
from tradeloom.domain.enums import OrderState, OrderType
from tradeloom.domain.market import (
    SIZE_SCALE,
    BookDelta,
    HistoricBar,
    InstrumentKind,
    VenueInstrument,
)

_MS: Final = 1_000_000
_DAY_NS: Final = 86_400 * 10**9
_EQUITIES: Final = frozenset({"EQUITY", "ETF", "COLLECTIVE_INVESTMENT"})
_MINUTES: Final = {60: 1, 300: 5, 600: 10, 900: 15, 1_800: 30}
_ENDED: Final = frozenset({"FILLED", "CANCELED", "REJECTED", "EXPIRED", REPLACED})
# Quotes have up to four decimals; orders above a dollar have cents.
_DIGITS: Final = 4
_TICK: Final = 100


class Schwab(SchwabStreamer):
    """One account of one user."""

    profile: ClassVar[Profile] = PROFILE
    book_rule: ClassVar[BookRule] = BookRule()

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._names = Names()
        self._hash = ""
        self._held: dict[str, Decimal] = {}
        self._news_out: AccountOut | None = None
        self._looking: set[str] = set()
        self._polled_at = 0.0
        self._open_ids: set[str] = set()

    # -- market queries --------------------------------------------------------------------------

    async def load_instruments(self) -> list[VenueInstrument]:
        """The symbols of the option `symbols`, else what a search finds; and the streamer."""
        preferences = await self.get("/trader/v1/userPreference", f.Preferences)
        if not preferences.streamer_info:
            raise LoginRefused("Schwab's preferences name no streamer: the user may not stream")
        self._info = preferences.streamer_info[0]
        chosen = [each.strip() for each in self.context.options.get("symbols", "").split(",")]
        names = [each.upper() for each in chosen if each]
        if names:
            for at in range(0, len(names), QUOTES_PER_CALL):
                await self._listed(names[at : at + QUOTES_PER_CALL])
        else:
            query = urlencode({"symbol": "[A-Z]+", "projection": "symbol-regex"})
            found = await self.get(f"/marketdata/v1/instruments?{query}", f.Found)
            for row in found.instruments:
                if row.asset_type in _EQUITIES and row.symbol:
                    self._exchanges[row.symbol] = row.exchange
        return [_instrument(symbol) for symbol in sorted(self._exchanges)]

    async def _listed(self, names: Sequence[str]) -> None:
        query = urlencode({"symbols": ",".join(names), "fields": "quote,reference"})
        rows = await self.get(f"/marketdata/v1/quotes?{query}", dict[str, f.Quote])
        for symbol, row in rows.items():
            if row.asset_main_type == "EQUITY":
                self._exchanges[symbol] = row.reference.exchange_name

    async def fetch_book(self, listing: Listing, depth: int) -> BookDelta:
        """The best bid and ask: there is no deeper book by REST."""
        query = urlencode({"symbols": listing.wire, "fields": "quote"})
        rows = await self.get(f"/marketdata/v1/quotes?{query}", dict[str, f.Quote])
        if listing.wire not in rows:
            raise VenueUnavailable(f"Schwab quotes no {listing.wire} now")
        row = rows[listing.wire].quote
        sides = [
            ((points(price, listing.scale), sizes(size)),) if price and size else ()
            for price, size in ((row.bid_price, row.bid_size), (row.ask_price, row.ask_size))
        ]
        at_ns = row.quote_time * _MS
        return BookDelta(
            VENUE, listing.symbol, listing.digits, True, sides[0], sides[1], at_ns, time.time_ns()
        )

    async def fetch_bars(
        self, listing: Listing, interval_s: int, since_ns: int, until_ns: int
    ) -> list[HistoricBar]:
        """pricehistory: minutes of some weeks, days of many years."""
        params: dict[str, Any] = {
            "symbol": listing.wire,
            "startDate": since_ns // _MS,
            "endDate": until_ns // _MS,
            "needExtendedHoursData": "true",
        }
        if interval_s in _MINUTES:
            params |= {
                "periodType": "day",
                "frequencyType": "minute",
                "frequency": _MINUTES[interval_s],
            }
        elif interval_s == 86_400:
            params |= {"periodType": "year", "frequencyType": "daily", "frequency": 1}
        else:
            have = ", ".join(str(each) for each in (*_MINUTES, 86_400))
            raise Unsupported(f"Schwab has bars of {have} seconds")
        found = await self.get(f"/marketdata/v1/pricehistory?{urlencode(params)}", f.Candles)
        last_ns = self.context.clock.now_ns() - interval_s * 10**9
        return [
            HistoricBar(
                row.datetime * _MS,
                exact_points(row.open, listing.digits),
                exact_points(row.high, listing.digits),
                exact_points(row.low, listing.digits),
                exact_points(row.close, listing.digits),
                exact_sizes(row.volume),
            )
            for row in found.candles
            if since_ns <= row.datetime * _MS < until_ns and row.datetime * _MS <= last_ns
        ]

    async def maintenance(self) -> str:
        """Whether the regular session of US equities is open."""
        path = "/marketdata/v1/markets?markets=equity"
        rows = await self.get(path, dict[str, dict[str, f.Market]])
        markets = [each for rows in rows.values() for each in rows.values()]
        return "" if any(each.is_open for each in markets) else "the US equity market is closed"

    # -- orders ----------------------------------------------------------------------------------

    async def place(self, request: OrderRequest, listing: Listing, wire_id: str) -> Placed:
        """POST; the id comes in a header, or not at all when the order filled at once."""
        held = self._held.get(listing.symbol, Decimal(0))
        short = self.context.options.get("short") == "on"
        body = body_of(request, listing, held, short=short)
        path = await self._account("orders")
        sent = _sent(request, listing, self.context, self.context.clock.now_ns())
        self._names.sent(wire_id, sent)
        try:
            reply = await self.call("POST", path, body=body, costs=ORDER)
        except (Refusal, NotSent, BudgetSpent, LoginRefused):
            self._names.unsent(wire_id)
            raise
        order_id = _id_in(reply)
        if order_id:
            self._names.got(wire_id, order_id, request.volume)
            self._open_ids.add(order_id)
        self._look_soon(order_id)
        return Placed(order_id)

    async def amend(
        self, change: Amendment, order: VenueOrder, listing: Listing, wire_id: str
    ) -> Placed:
        """PUT replaces the order by a new one with a new id; what filled stays with the old."""
        if not order.venue_order_id:
            raise NotSent("Schwab has not told the order's id yet; try again in a moment")
        whole = order.volume if change.volume is None else change.volume
        left = whole - order.filled
        if left <= 0:
            raise Refusal("", "the new volume has filled already; cancel the order instead")
        request = OrderRequest(
            client_id=order.client_id,
            symbol=order.symbol,
            side=order.side,
            volume=left,
            type=order.type,
            price=order.price if change.price is None else change.price,
            tif=order.tif,
        )
        held = self._held.get(listing.symbol, Decimal(0))
        body = body_of(request, listing, held, short=self.context.options.get("short") == "on")
        if order.type in (OrderType.STOP, OrderType.STOP_LIMIT):
            row = await self._row(order.venue_order_id)
            if row.stop_price is not None:
                body["stopPrice"] = price_text(row.stop_price)
        path = await self._account(f"orders/{order.venue_order_id}")
        sent = _sent(request, listing, self.context, self.context.clock.now_ns())
        self._names.sent(wire_id, sent, whole)
        try:
            reply = await self.call("PUT", path, body=body, costs=ORDER)
        except (Refusal, NotSent, BudgetSpent, LoginRefused):
            self._names.unsent(wire_id)
            raise
        new_id = _id_in(reply)
        if new_id:
            self._names.got(wire_id, new_id, whole)
            self._open_ids.add(new_id)
        self._look_soon(new_id)
        return Placed(new_id)

    async def cancel(self, order: VenueOrder, listing: Listing, wire_id: str) -> Placed:
        """DELETE; that it is done comes as news."""
        order_id = order.venue_order_id or self._names.id_of(wire_id)
        if not order_id:
            found, _ = await self.query(listing, wire_id, "")
            order_id = found.venue_order_id
        path = await self._account(f"orders/{order_id}")
        await self.call("DELETE", path, costs=ORDER)
        self._look_soon(order_id)
        return Placed(order_id)

    async def query(
        self, listing: Listing, wire_id: str, venue_order_id: str
    ) -> tuple[VenueOrder, Sequence[VenueFill]]:
        """By id; else the order of today that is what was sent."""
        order_id = self._names.id_of(wire_id) or venue_order_id
        gone: f.Order | None = None
        if order_id:
            row = await self._row(order_id)
            if row.status != REPLACED:
                return self._told(row, listing)
            gone = row
        for row in await self._rows(self.context.clock.now_ns() - _DAY_NS):
            ours = symbol_of(row) == listing.wire and self._names.of(row, listing) == wire_id
            if ours and row.status != REPLACED:
                return self._told(row, listing)
        if gone is not None:
            return self._told(gone, listing)
        raise NoSuchOrder("404", "Schwab has no order like it")

    async def open_orders(self) -> list[VenueOrder]:
        """Of the last 60 days, which is as far as the venue tells."""
        rows = await self._rows(self.context.clock.now_ns() - ORDERS_BACK_DAYS * _DAY_NS)
        wire = self.context.listings.wire
        found = [
            order_of(self.context.account, wire[symbol_of(row)], row, self._names)
            for row in rows
            if row.status not in _ENDED and symbol_of(row) in wire
        ]
        self._open_ids = {each.venue_order_id for each in found}
        return found

    async def fills(self, since_ns: int, listings: Sequence[Listing]) -> list[VenueFill]:
        """Executions of the orders of that time."""
        wire, account = self.context.listings.wire, self.context.account
        # An order of long ago may have filled since: the venue asks by the time of its entry.
        back = min(since_ns, self.context.clock.now_ns() - 7 * _DAY_NS)
        found = [
            fill
            for row in await self._rows(back)
            if symbol_of(row) in wire
            for fill in fills_of(account, wire[symbol_of(row)], row, self._names)
            if fill.venue_ns >= since_ns // 10**9 * 10**9
        ]
        return sorted(found, key=lambda fill: fill.venue_ns)

    async def positions(self) -> list[VenuePosition]:
        """Holdings of listed equities; also what tells a sale from a short sale."""
        held = (await self._whole_account()).positions
        wire, now = self.context.listings.wire, time.time_ns()
        made = []
        for row in held:
            listing = wire.get(row.instrument.symbol)
            volume = row.long_quantity - row.short_quantity
            if listing is None or not volume:
                continue
            gain = row.long_open_profit_loss if volume > 0 else row.short_open_profit_loss
            made.append(
                VenuePosition(
                    venue=VENUE,
                    account=self.context.account,
                    symbol=listing.symbol,
                    volume=volume,
                    entry_price=row.average_price,
                    unrealised=gain,
                    venue_ns=now,
                )
            )
        self._held = {each.symbol: each.volume for each in made}
        return made

    async def balances(self) -> list[VenueBalance]:
        """Dollars: cash, and what of it may be spent."""
        money = (await self._whole_account()).current_balances
        total = money.cash_balance if money.cash_balance is not None else money.total_cash
        free = next(
            (
                each
                for each in (
                    money.cash_available_for_trading,
                    money.available_funds,
                    money.buying_power,
                    total,
                )
                if each is not None
            ),
            Decimal(0),
        )
        return [
            VenueBalance(
                venue=VENUE,
                account=self.context.account,
                currency="USD",
                total=total or Decimal(0),
                free=free,
                venue_ns=time.time_ns(),
            )
        ]

    # -- news ------------------------------------------------------------------------------------

    def expect(self, wire_id: str, order: VenueOrder) -> None:
        """An order of an earlier run, or one whose answer was lost."""
        if order.venue_order_id:
            self._names.got(wire_id, order.venue_order_id, order.volume)
        elif not self._names.id_of(wire_id):
            self._names.sent(wire_id, order)

    def look(self, order_id: str, out: AccountOut) -> None:
        """Ask what became of an order, once for all the news of a moment."""
        self._news_out = out
        self._look_soon(order_id)

    def _look_soon(self, order_id: str) -> None:
        self._looking.add(order_id)
        if len(self._looking) == 1:
            self.later(self._look_now())

    async def _look_now(self) -> None:
        await asyncio.sleep(LOOK_S)
        wanted, self._looking = self._looking, set()
        try:
            if len(wanted) == 1 and "" not in wanted:
                self._tell([await self._row(wanted.pop())])
            else:
                await self._poll()
        except (VenueUnavailable, Refusal, BudgetSpent):
            return  # the next poll or reconciliation tells

    async def _poll(self) -> None:
        self._polled_at = time.monotonic()
        self._tell(await self._rows(self.context.clock.now_ns() - _DAY_NS))

    def _tell(self, rows: Sequence[f.Order]) -> None:
        out = self._news_out
        wire, account = self.context.listings.wire, self.context.account
        for row in rows:
            listing = wire.get(symbol_of(row))
            if listing is None or out is None or row.status == REPLACED:
                continue
            order = order_of(account, listing, row, self._names)
            fills = fills_of(account, listing, row, self._names)
            if row.status in _ENDED:
                self._open_ids.discard(order.venue_order_id)
            else:
                self._open_ids.add(order.venue_order_id)
            out.order(order)
            for fill in fills:
                out.fill(fill)

    async def keep_private(self) -> float:
        """Renew the token in time; look at open orders, as the stream does not tell everything."""
        if self.renewal_s() < POLL_S * 2:
            await self.token()
        due = time.monotonic() - self._polled_at >= POLL_S
        if self._streaming and due and (self._open_ids or self._names.sought):
            await self._poll()
        return POLL_S

    def private_frame(self, data: str | bytes, recv_ns: int, out: AccountOut, link: Any) -> None:
        """See the streamer; whom to tell is remembered for what is asked later."""
        self._news_out = out
        super().private_frame(data, recv_ns, out, link)

    # -- inside ----------------------------------------------------------------------------------

    async def _account(self, rest: str) -> str:
        if not self._hash:
            rows = await self.get("/trader/v1/accounts/accountNumbers", list[f.AccountNumber])
            self._hash = self._choose(rows)
        return f"/trader/v1/accounts/{self._hash}/{rest}".rstrip("/")

    def _choose(self, rows: Sequence[f.AccountNumber]) -> str:
        keys = self.context.credentials
        given = keys.values.get(Need.ACCOUNT, "") if keys else ""
        given = given or self.context.options.get("account", "")
        fitting = [row for row in rows if not given or row.account_number == given]
        if len(fitting) == 1:
            return quote(fitting[0].hash_value)
        have = ", ".join(f"…{row.account_number[-3:]}" for row in rows) or "none"
        if given:
            raise LoginRefused(f"this log-in has no such account (it has: {have}); link it anew")
        raise LoginRefused(f"this log-in has several accounts or none ({have}): name one")

    async def _whole_account(self) -> f.SecuritiesAccount:
        path = await self._account("")
        return (await self.get(f"{path}?fields=positions", f.Account)).securities_account

    async def _row(self, order_id: str) -> f.Order:
        return await self.get(await self._account(f"orders/{order_id}"), f.Order)

    async def _rows(self, since_ns: int) -> list[f.Order]:
        now = datetime.now(UTC)
        first = max(since_ns // 10**9, int((now - timedelta(days=ORDERS_BACK_DAYS)).timestamp()))
        query = urlencode(
            {
                "fromEnteredTime": rfc3339_text(first * 10**9),
                "toEnteredTime": rfc3339_text(self.context.clock.now_ns() + 3_600 * 10**9),
                "maxResults": ORDERS_MAX,
            }
        )
        return await self.get(f"{await self._account('orders')}?{query}", list[f.Order])

    def _told(self, row: f.Order, listing: Listing) -> tuple[VenueOrder, list[VenueFill]]:
        account = self.context.account
        order = order_of(account, listing, row, self._names)
        return order, fills_of(account, listing, row, self._names)


def _sent(request: OrderRequest, listing: Listing, context: Context, at_ns: int) -> VenueOrder:
    """What an order without an id is recognised by."""
    return VenueOrder(
        venue=VENUE,
        account=context.account,
        client_id=request.client_id,
        venue_order_id="",
        symbol=listing.symbol,
        side=request.side,
        type=request.type,
        tif=request.tif,
        volume=request.volume,
        filled=Decimal(0),
        price=request.price,
        average=None,
        state=OrderState.ROUTING,
        venue_ns=at_ns,
    )


def _id_in(reply: Reply) -> str:
    place: str = reply.headers.get("Location", "")
    last = place.rstrip("/").rpartition("/")[2]
    return last if last.isdigit() else ""


def _instrument(symbol: str) -> VenueInstrument:
    return VenueInstrument(
        venue=VENUE,
        symbol=symbol,
        wire=symbol,
        kind=InstrumentKind.EQUITY,
        base=symbol,
        quote="USD",
        settle="USD",
        digits=_DIGITS,
        tick=_TICK,
        step=SIZE_SCALE,
        volume_min=SIZE_SCALE,
        contract_currency=symbol,
    )
