"""The simulated OKX: what is listed, keys, limits, and every REST call."""

from __future__ import annotations

import asyncio
import json
import zlib
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, ClassVar, Final

from tradeloom.domain.market import SIZE_DIGITS, InstrumentKind, VenueInstrument
from tradeloom.simulators.accounts import Fees
from tradeloom.simulators.clock import Clock
from tradeloom.simulators.dialect import Call, Handler, Reply, Route, VenueDialect, json_reply
from tradeloom.simulators.exchange import Market
from tradeloom.simulators.figures import plain, scaled
from tradeloom.simulators.keys import Credentials, seeded_text
from tradeloom.simulators.okx import rows
from tradeloom.simulators.okx.errors import BUSY, TOO_MANY, OkxError, OrderFault, bad_param
from tradeloom.simulators.okx.signing import signed_in
from tradeloom.simulators.okx.streams import Streams, trade_row
from tradeloom.simulators.okx.trading import Params, Rows, Trading
from tradeloom.simulators.orders import Order, Reason, Refused
from tradeloom.simulators.rates import FixedWindow
from tradeloom.simulators.references import USD_LIKE, reference, split

Work = Callable[[Params, str], Rows]
Change = Callable[[Params, str], Order | str]

# Calls in two seconds: of an address, of a user, of a user and an instrument.
LIMITS: Final = {"public": 40, "account": 10, "queries": 60, "place": 60, "amend": 60, "cancel": 60}
_CONTRACTS: Final = {"BTC": ("0.01", 2), "ETH": ("0.1", 2)}
_BARS: Final = {
    "1m": 1, "3m": 3, "5m": 5, "15m": 15, "30m": 30, "1H": 60, "2H": 120, "4H": 240, "6Hutc": 360,
    "12Hutc": 720, "1Dutc": 1_440, "1D": 1_440,
}  # fmt: skip


class OkxFamily(VenueDialect):
    """REST of one kind of instrument."""

    name: ClassVar[str] = "okx"
    kind: ClassVar[str] = "SPOT"
    fees: ClassVar[Fees] = Fees(800, 1_000)
    self_trade = "expire_maker"
    first_id: ClassVar[int] = 599_823_446_566_084_608
    checksums: ClassVar[bool] = False  # the live venue sends 0 since 2026

    def __init__(
        self, *, seed: int, clock: Clock, symbols: Sequence[str] = (), demo_keys: bool = True
    ) -> None:
        super().__init__(seed=seed, clock=clock, symbols=symbols, demo_keys=demo_keys)
        self._windows: Final = {
            name: FixedWindow(limit, 2 * 10**9, self.clock) for name, limit in LIMITS.items()
        }
        self.streams: Final = Streams(self, checksums=self.checksums)
        self.trading: Final = Trading(self)
        # Rows of orders that no order of the exchange stands behind; told with the next flush.
        self.later: Final[list[tuple[str, dict[str, Any]]]] = []
        self._countdowns: Final[dict[str, int]] = {}

    # ---- what is here ------------------------------------------------------------------------

    @classmethod
    def instruments(cls, symbols: Sequence[str]) -> list[VenueInstrument]:
        """Spot pairs, or swaps; a swap against USD is settled in its coin."""
        suffix = "" if cls.kind == "SPOT" else "-PERP"
        wanted = symbols or [f"{pair}{suffix}" for pair in ("BTCUSDT", "ETHUSDT", "SOLUSDT")]
        return [cls._instrument(symbol) for symbol in wanted]

    @classmethod
    def _instrument(cls, symbol: str) -> VenueInstrument:
        base, quote = split(symbol)
        known = reference(base)
        swap = cls.kind == "SWAP"
        inverse = swap and quote == "USD"
        worth, size_digits = _CONTRACTS.get(base, ("1", 0)) if swap else ("1", known.size_digits)
        if inverse:
            worth, size_digits = ("100" if base == "BTC" else "10"), 0
        step: int = 10 ** (SIZE_DIGITS - size_digits)
        wire = f"{base}-{quote}-SWAP" if swap else f"{base}-{quote}"
        return VenueInstrument(
            venue=cls.name,
            symbol=f"{base}{quote}-PERP" if swap else f"{base}{quote}",
            wire=wire,
            kind=InstrumentKind.PERPETUAL if swap else InstrumentKind.SPOT,
            base=base,
            quote=quote,
            settle=base if inverse else quote,
            digits=known.price_digits,
            tick=1,
            step=step,
            volume_min=step,
            contract_size=Decimal(worth),
            contract_currency=quote if inverse else base,
            inverse=inverse,
            wire_code=zlib.crc32(wire.encode()) % 10**6 + 1,
        )

    def demo_credentials(self, seed: int) -> list[Credentials]:
        """A key in the form of a UUID, a secret of 32 characters, a passphrase."""
        text = seeded_text(seed, self.name, "key", length=32).lower()
        key = "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:32]))
        secret = seeded_text(seed, self.name, "secret", length=32)
        passphrase = seeded_text(seed, self.name, "passphrase", length=12)
        return [Credentials(key=key, secret=secret, passphrase=passphrase)]

    def credentials_of(self, text: str) -> Credentials:
        """`KEY:SECRET:PASSPHRASE`."""
        parts = text.split(":", 2)
        if len(parts) != 3 or not all(parts):
            raise ValueError(f"a key of {self.name} is KEY:SECRET:PASSPHRASE")
        return Credentials(key=parts[0], secret=parts[1], passphrase=parts[2])

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
        public: dict[str, Callable[[Params], Rows]] = {
            "/public/time": lambda params: [{"ts": str(self.clock.now_ms())}],
            "/public/instruments": self._instruments,
            "/public/funding-rate": self._funding,
            "/market/books": self._books,
            "/market/candles": self._candles,
            "/market/history-candles": self._candles,
            "/market/tickers": self._tickers,
            "/market/ticker": self._tickers,
            "/market/trades": self._trades,
            "/system/status": lambda params: [],
        }
        looks: dict[str, tuple[Work, str]] = {
            "/trade/order": (work.order, "queries"),
            "/trade/orders-pending": (work.pending, "queries"),
            "/trade/orders-history": (work.history, "queries"),
            "/trade/fills": (work.fills, "queries"),
            "/trade/fills-history": (work.fills, "account"),
            "/account/balance": (work.balance, "account"),
            "/account/positions": (work.positions, "account"),
            "/account/config": (work.config, "account"),
        }
        changes: dict[str, tuple[Change, str]] = {
            "/trade/order": (work.place, "place"),
            "/trade/batch-orders": (work.place, "place"),
            "/trade/amend-order": (work.amend, "amend"),
            "/trade/amend-batch-orders": (work.amend, "amend"),
            "/trade/cancel-order": (work.cancel, "cancel"),
            "/trade/cancel-batch-orders": (work.cancel, "cancel"),
        }
        sets: dict[str, Work] = {
            "/trade/cancel-all-after": work.cancel_after,
            "/account/set-position-mode": work.set_position_mode,
        }
        base = "/api/v5"
        made = [Route("GET", f"{base}{path}", self._public(each)) for path, each in public.items()]
        made += [
            Route("GET", f"{base}{p}", self._signed(each, name))
            for p, (each, name) in looks.items()
        ]
        made += [
            Route("POST", f"{base}{p}", self._signed(each, "account")) for p, each in sets.items()
        ]
        return made + [
            Route("POST", f"{base}{path}", self._changing(each, name), places=name == "place")
            for path, (each, name) in changes.items()
        ]

    def _public(self, work: Callable[[Params], Rows]) -> Handler:
        async def handle(call: Call) -> Reply:
            try:
                self.count("public", f"{call.ip}{call.path}")
                return _reply("0", work(dict(call.query_pairs())))
            except OkxError as error:
                return _error(error)
            except OrderFault as error:
                return _error(OkxError(error.code, error.text))

        return handle

    def _signed(self, work: Work, window: str) -> Handler:
        async def handle(call: Call) -> Reply:
            try:
                who = signed_in(call, self.keys, self.clock.now_ms())
                self.count(window, f"{who.account}{call.path}")
                posted = call.method == "POST"
                params = parsed(call.body) if posted else dict(call.query_pairs())
                return _reply("0", work(params, who.account))
            except OkxError as error:
                return _error(error)
            except OrderFault as error:
                return _error(OkxError(error.code, error.text))

        return handle

    def _changing(self, work: Change, window: str) -> Handler:
        async def handle(call: Call) -> Reply:
            try:
                who = signed_in(call, self.keys, self.clock.now_ms())
                body = json.loads(call.body or b"null")
                orders = body if isinstance(body, list) else [body]
                if not orders or not all(isinstance(each, dict) for each in orders):
                    raise OkxError("50002", "JSON syntax error", 400)
                expires = call.headers.get("expTime")
                orders = [{**each, "expTime": expires} for each in orders]
                for each in orders:
                    self.count(window, f"{who.account}{each.get('instId')}")
                code, data = self.trading.each(work, orders, who.account)
            except ValueError:
                return _error(OkxError("50002", "JSON syntax error", 400))
            except OkxError as error:
                return _error(error)
            return _reply(code, data, "" if code == "0" else "All operations failed")

        return handle

    def count(self, window: str, who: str) -> None:
        """Count a call; raises 50011."""
        if not self._windows[window].add(who):
            raise TOO_MANY

    def failure(self, status: int, retry_after_s: float, where: str) -> Reply:
        """429 and 503 as OKX words them."""
        error = TOO_MANY if status == 429 else BUSY
        headers = {"Retry-After": f"{retry_after_s:g}"} if retry_after_s else {}
        body = {"code": error.code, "msg": error.text, "data": []}
        return json_reply(body, status, headers)

    def count_down(self, account: str, seconds: int) -> str:
        """Start cancel-all-after anew, 0 ends it; when it will strike, in ms."""
        self._countdowns[account] = turn = self.next_number()
        if seconds:
            self.start(self._strike(account, seconds, turn))
            return str(self.clock.now_ms() + seconds * 1_000)
        return "0"

    async def _strike(self, account: str, seconds: int, turn: int) -> None:
        await asyncio.sleep(seconds)
        if self._countdowns.get(account) == turn:
            self.exchange.cancel_all(account, None, Reason.BY_VENUE)
            self.flush()

    # ---- public calls ------------------------------------------------------------------------

    def market(self, params: Params) -> Market:
        """The market that is asked for; raises 51001."""
        try:
            return self.exchange.market(str(params.get("instId") or ""))
        except Refused as refused:
            raise OkxError("51001", "Instrument ID doesn't exist.") from refused

    def _wanted(self, params: Params) -> list[Market]:
        if params.get("instType") not in (None, "", self.kind):
            return []
        one = params.get("instId")
        return [self.market(params)] if one else list(self.exchange.markets.values())

    def _instruments(self, params: Params) -> Rows:
        if not params.get("instType"):
            raise OkxError("50014", "Parameter instType cannot be empty", 400)
        return [rows.instrument_row(each) for each in self._wanted(params)]

    def _funding(self, params: Params) -> Rows:
        return [rows.funding_row(self.market(params), self.clock.now_ms())]

    def _tickers(self, params: Params) -> Rows:
        return [rows.ticker_row(each, self.clock.now_ms()) for each in self._wanted(params)]

    def _books(self, params: Params) -> Rows:
        market = self.market(params)
        depth = min(int(params.get("sz") or 1), 400)
        book = self.exchange.snapshot(market.instrument.symbol, depth)
        digits = market.instrument.digits
        sides = {
            name: [[plain(p, digits), rows.size(s), "0", "1"] for p, s in levels]
            for name, levels in (("asks", book.asks), ("bids", book.bids))
        }
        return [{**sides, "ts": str(self.clock.now_ms()), "seqId": book.seq}]

    def _candles(self, params: Params) -> Rows:
        market = self.market(params)
        bar = str(params.get("bar") or "1m")
        if bar not in _BARS:
            raise bad_param("bar")
        after = int(params["after"]) if params.get("after") else None
        before = int(params["before"]) if params.get("before") else None
        start = (before + 1) * rows.MS if before is not None else None
        end = after * rows.MS - 1 if after is not None else None
        found = market.bars.spans(_BARS[bar], start, end)[-int(params.get("limit") or 100) :]
        span, now = _BARS[bar] * 60 * 10**9, self.clock.now_ns()
        made: Any = [
            rows.candle_row(market.instrument, each, each.start_ns + span <= now)
            for each in reversed(found)
        ]
        return list(made)

    def _trades(self, params: Params) -> Rows:
        market = self.market(params)
        newest = list(reversed(market.trades))[: int(params.get("limit") or 100)]
        return [trade_row(market.instrument, each, market.seq) for each in newest]


def parsed(body: bytes) -> dict[str, Any]:
    """A JSON object; raises 50002."""
    try:
        found = json.loads(body or b"{}")
    except ValueError as error:
        raise OkxError("50002", "JSON syntax error", 400) from error
    if not isinstance(found, dict):
        raise OkxError("50002", "JSON syntax error", 400)
    return found


def _reply(code: str, data: Rows, text: str = "") -> Reply:
    return json_reply({"code": code, "msg": text, "data": data})


def _error(error: OkxError) -> Reply:
    return json_reply({"code": error.code, "msg": error.text, "data": []}, error.status)
