"""The simulated Bybit: what is listed, keys, limits, and every REST call."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, ClassVar, Final

from tradeloom.domain.enums import Side
from tradeloom.domain.market import SIZE_DIGITS, InstrumentKind, VenueInstrument
from tradeloom.simulators.accounts import Fees
from tradeloom.simulators.bybit import rows
from tradeloom.simulators.bybit.errors import TOO_MANY, BybitError, bad_param
from tradeloom.simulators.bybit.signing import signed_in
from tradeloom.simulators.bybit.streams import Streams
from tradeloom.simulators.bybit.trading import Params, Trading
from tradeloom.simulators.clock import Clock
from tradeloom.simulators.dialect import Call, Handler, Reply, Route, VenueDialect, json_reply
from tradeloom.simulators.figures import fixed, scaled
from tradeloom.simulators.keys import Credentials, seeded_text
from tradeloom.simulators.rates import FixedWindow
from tradeloom.simulators.references import USD_LIKE, reference, split

Work = Callable[[Params, str], dict[str, Any]]


class BybitFamily(VenueDialect):
    """REST of one category."""

    name: ClassVar[str] = "bybit"
    category: ClassVar[str] = "spot"
    fees: ClassVar[Fees] = Fees(1_000, 1_000)
    first_id: ClassVar[int] = 1_673_523_595_617_593_600
    dead_man_product: ClassVar[str] = "SPOT"
    dead_man_topic: ClassVar[str] = "dcp.spot"
    per_second: ClassVar[Mapping[str, int]] = {"create": 20, "amend": 10, "cancel": 20, "look": 50}
    ip_calls: ClassVar[int] = 600
    topics_per_frame: ClassVar[int] = 10

    def __init__(
        self, *, seed: int, clock: Clock, symbols: Sequence[str] = (), demo_keys: bool = True
    ) -> None:
        self.dead_man_s: Final[dict[str, int]] = {}
        super().__init__(seed=seed, clock=clock, symbols=symbols, demo_keys=demo_keys)
        self._windows: Final = {
            name: FixedWindow(limit, 10**9, self.clock) for name, limit in self.per_second.items()
        }
        self._ip: Final = FixedWindow(self.ip_calls, 5 * 10**9, self.clock)
        self.streams: Final = Streams(self)
        self.trading: Final = Trading(self)
        # Rows of orders that no order of the exchange stands behind; told with the next flush.
        self.later: Final[list[tuple[str, dict[str, Any]]]] = []

    # ---- what is here ------------------------------------------------------------------------

    @classmethod
    def instruments(cls, symbols: Sequence[str]) -> list[VenueInstrument]:
        """Spot pairs, or linear perpetuals."""
        suffix = "" if cls.category == "spot" else "-PERP"
        wanted = symbols or [f"{pair}{suffix}" for pair in ("BTCUSDT", "ETHUSDT", "SOLUSDT")]
        return [cls._instrument(symbol) for symbol in wanted]

    @classmethod
    def _instrument(cls, symbol: str) -> VenueInstrument:
        base, quote = split(symbol)
        known = reference(base)
        linear = cls.category == "linear"
        step: int = 10 ** (SIZE_DIGITS - min(known.size_digits, 3 if linear else 8))
        return VenueInstrument(
            venue=cls.name,
            symbol=f"{base}{quote}-PERP" if linear else f"{base}{quote}",
            wire=f"{base}{quote}",
            kind=InstrumentKind.PERPETUAL if linear else InstrumentKind.SPOT,
            base=base,
            quote=quote,
            settle=quote,
            digits=known.price_digits,
            tick=1,
            step=step,
            volume_min=step,
            notional_min=Decimal(5) if linear else Decimal(1),
            contract_currency=base,
        )

    def demo_credentials(self, seed: int) -> list[Credentials]:
        """A key of 18 characters with a secret of 36, as Bybit makes them."""
        key = seeded_text(seed, self.name, "key", length=18)
        return [Credentials(key=key, secret=seeded_text(seed, self.name, "secret", length=36))]

    def credentials_of(self, text: str) -> Credentials:
        """`KEY:SECRET`."""
        key, colon, secret = text.partition(":")
        if not (key and colon and secret):
            raise ValueError(f"a key of {self.name} is KEY:SECRET")
        return Credentials(key=key, secret=secret)

    def starting_balances(self) -> dict[str, int]:
        """A million of the dollar-like, a hundred of everything else."""
        return {
            asset: scaled("1000000" if asset in USD_LIKE else "100", SIZE_DIGITS)
            for asset in sorted(self.exchange.spot_assets())
        }

    # ---- REST --------------------------------------------------------------------------------

    def routes(self) -> list[Route]:
        """Every call."""
        work = self.trading
        public: dict[str, Callable[[Params], dict[str, Any]]] = {
            "/v5/market/time": self._time,
            "/v5/market/instruments-info": self._instruments,
            "/v5/market/orderbook": self._orderbook,
            "/v5/market/kline": self._klines,
            "/v5/market/tickers": self._tickers,
            "/v5/market/recent-trade": self._recent,
            "/v5/system/status": lambda params: {"list": []},
        }
        changes: dict[str, tuple[Work, str]] = {
            "/v5/order/create": (work.create, "create"),
            "/v5/order/amend": (work.amend, "amend"),
            "/v5/order/cancel": (work.cancel, "cancel"),
            "/v5/order/cancel-all": (work.cancel_all, "cancel"),
            "/v5/order/disconnected-cancel-all": (work.protect, "cancel"),
        }
        looks: dict[str, Work] = {
            "/v5/order/realtime": work.realtime,
            "/v5/order/history": work.history,
            "/v5/execution/list": work.executions,
            "/v5/account/wallet-balance": work.wallet,
            "/v5/account/info": work.account_info,
            "/v5/position/list": work.positions,
            "/v5/user/query-api": self._key_info,
        }
        made = [Route("GET", path, self._public(each)) for path, each in public.items()]
        made += [
            Route("POST", path, self._signed(each, name), places=path.endswith("create"))
            for path, (each, name) in changes.items()
        ]
        return made + [Route("GET", p, self._signed(each, "look")) for p, each in looks.items()]

    def _public(self, work: Callable[[Params], dict[str, Any]]) -> Handler:
        async def handle(call: Call) -> Reply:
            try:
                self._count_ip(call)
                return self._reply(work(dict(call.query_pairs())))
            except BybitError as error:
                return self._error(error)

        return handle

    def _signed(self, work: Work, window: str) -> Handler:
        async def handle(call: Call) -> Reply:
            headers: dict[str, str] = {}
            try:
                self._count_ip(call)
                who = signed_in(call, self.keys, self.clock.now_ms())
                headers = self.count(who.account, window)
                params = parsed(call.body) if call.method == "POST" else dict(call.query_pairs())
                return self._reply(work(params, who.account), headers)
            except BybitError as error:
                if error is TOO_MANY:
                    headers = self._limit_headers("", window, over=True)
                return self._error(error, headers)

        return handle

    def _count_ip(self, call: Call) -> None:
        if not self._ip.add(call.ip):
            raise BybitError(0, "access too frequent", 403)

    def count(self, account: str, name: str) -> dict[str, str]:
        """Count a call of an account, and the headers that tell what is left; raises 10006."""
        if not self._windows[name].add(account):
            raise TOO_MANY
        return self._limit_headers(account, name)

    def _limit_headers(self, account: str, name: str, *, over: bool = False) -> dict[str, str]:
        window = self._windows[name]
        left = 0 if over else max(0, window.limit - window.used(account))
        return {
            "X-Bapi-Limit": str(window.limit),
            "X-Bapi-Limit-Status": str(left),
            "X-Bapi-Limit-Reset-Timestamp": str((self.clock.now_ms() // 1_000 + 1) * 1_000),
        }

    def _reply(self, result: dict[str, Any], headers: Mapping[str, str] | None = None) -> Reply:
        now = self.clock.now_ms()
        body = {"retCode": 0, "retMsg": "OK", "result": result, "retExtInfo": {}, "time": now}
        return json_reply(body, headers=headers)

    def _error(self, error: BybitError, headers: Mapping[str, str] | None = None) -> Reply:
        if error.status == 403:
            return Reply(error.text.encode(), 403, headers or {}, "text/plain")
        body = {"retCode": error.code, "retMsg": error.text, "result": {}, "retExtInfo": {}}
        return json_reply(body | {"time": self.clock.now_ms()}, error.status, headers)

    def failure(self, status: int, retry_after_s: float, where: str) -> Reply:
        """403 and 503 as the gateway words them, else a code of Bybit's."""
        headers = {"Retry-After": f"{max(retry_after_s, 0.1):g}"}
        if status == 403:
            return Reply(b"access too frequent", 403, headers, "text/plain")
        if status == 503:
            return Reply(
                b"<html><body>503 Service Temporarily Unavailable</body></html>",
                503,
                {},
                "text/html",
            )
        error = TOO_MANY if status == 429 else BybitError(10016, "Server error.", status)
        return self._error(BybitError(error.code, error.text, status), headers)

    # ---- public calls ------------------------------------------------------------------------

    def _time(self, params: Params) -> dict[str, Any]:
        now = self.clock.now_ns()
        return {"timeSecond": str(now // 10**9), "timeNano": str(now)}

    def _key_info(self, params: Params, account: str) -> dict[str, Any]:
        return {
            "id": "1",
            "readOnly": 0,
            "uta": 1,
            "unified": 0,
            "permissions": {"Spot": ["SpotTrade"]},
        }

    def _category(self, params: Params) -> None:
        if params.get("category") != self.category:
            raise bad_param("category")

    def _instruments(self, params: Params) -> dict[str, Any]:
        self._category(params)
        wanted = params.get("symbol")
        markets = self.exchange.by_wire.values()
        found = [rows.instrument_row(m) for m in markets if wanted in (None, m.instrument.wire)]
        return {"category": self.category, "list": found, "nextPageCursor": ""}

    def _orderbook(self, params: Params) -> dict[str, Any]:
        market = self.trading.market(params)
        depth = int(params.get("limit") or 1)
        at, book = market.instrument, self.exchange.snapshot(market.instrument.symbol, depth)
        frame = json.loads(
            self.streams.book(market, "", "", dict(book.bids), dict(book.asks), market.seq + 2)
        )
        return {
            **frame["data"],
            "s": at.wire,
            "ts": self.clock.now_ms(),
            "cts": self.clock.now_ms(),
        }

    def _klines(self, params: Params) -> dict[str, Any]:
        market = self.trading.market(params)
        interval = str(params.get("interval") or "")
        minutes = {"D": 1_440, "W": 10_080}.get(interval) or (
            int(interval) if interval.isdigit() else 0
        )
        if not minutes:
            raise bad_param("interval")
        start = int(params["start"]) * rows.MS if params.get("start") else None
        end = int(params["end"]) * rows.MS if params.get("end") else None
        limit = min(int(params.get("limit") or 200), 1_000)
        found = market.bars.spans(minutes, start, end)[-limit:]
        listed = [rows.kline_row(market.instrument, bar) for bar in reversed(found)]
        return {"category": self.category, "symbol": market.instrument.wire, "list": listed}

    def _tickers(self, params: Params) -> dict[str, Any]:
        self._category(params)
        wanted = params.get("symbol")
        now = self.clock.now_ms()
        found = [
            rows.ticker_row(m, now)
            for m in self.exchange.by_wire.values()
            if wanted in (None, m.instrument.wire)
        ]
        return {"category": self.category, "list": found}

    def _recent(self, params: Params) -> dict[str, Any]:
        market = self.trading.market(params)
        found = [
            {
                "execId": each.trade_id,
                "symbol": market.instrument.wire,
                "price": fixed(each.price, each.digits),
                "size": rows.size(each.size),
                "side": rows.side(each.side or Side.BUY),
                "time": str(each.venue_ns // rows.MS),
                "isBlockTrade": False,
            }
            for each in reversed(market.trades)
        ]
        return {"category": self.category, "list": found[: int(params.get("limit") or 60)]}


def parsed(body: bytes) -> dict[str, Any]:
    """A JSON object; raises 10001."""
    try:
        found = json.loads(body or b"{}")
    except ValueError as error:
        raise BybitError(10001, "Request parameter error: malformed JSON") from error
    if not isinstance(found, dict):
        raise BybitError(10001, "Request parameter error: an object is expected")
    return found
