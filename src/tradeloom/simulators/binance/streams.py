"""Binance's market streams: subscriptions in URLs and frames, raw and combined, ms and µs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, ClassVar, Final
from urllib.parse import parse_qs

import msgspec

from tradeloom.domain.market import BookDelta, BookQuote, TradeTick, VenueInstrument
from tradeloom.simulators.binance.errors import BinanceError
from tradeloom.simulators.conflation import BookFeed
from tradeloom.simulators.dialect import VenueDialect, encode
from tradeloom.simulators.exchange import Market, MarketInput
from tradeloom.simulators.faults import FaultKind
from tradeloom.simulators.figures import fixed
from tradeloom.simulators.sessions import Session

STREAMS_MAX: Final = 1_024
LIFE_NS: Final = 24 * 3_600 * 10**9
# Channels of connections that asked for microseconds carry this behind the stream's name.
MICRO: Final = "#us"
_NAME: Final = re.compile(r"!?[a-z0-9_]+(?:@[A-Za-z0-9_+:]+)*@?[A-Za-z0-9]*")
_METHODS: Final = (
    "SUBSCRIBE", "UNSUBSCRIBE", "LIST_SUBSCRIPTIONS", "SET_PROPERTY", "GET_PROPERTY",
)  # fmt: skip
INTERVALS: Final = {
    "1s": 1, "1m": 60, "3m": 180, "5m": 300, "15m": 900, "30m": 1_800, "1h": 3_600, "2h": 7_200,
    "4h": 14_400, "6h": 21_600, "8h": 28_800, "12h": 43_200, "1d": 86_400,
}  # fmt: skip


class _Frame(msgspec.Struct):
    method: str
    params: list[Any] | None = None
    id: int | str | None = None


class Streams:
    """The market streams of one dialect. Subclasses say what a payload looks like."""

    fast_depths: ClassVar[tuple[str, ...]] = ("@100ms",)  # suffixes of the frequent book streams
    slow_depth: ClassVar[str] = ""

    def __init__(self, dialect: VenueDialect, messages_per_s: int) -> None:
        self.dialect: Final = dialect
        self._messages_per_s: Final = messages_per_s
        self._fast: Final = BookFeed()
        self._slow: Final = BookFeed()
        self._agg_id = 0
        dialect.every(0.1, self._flush_fast)
        dialect.every(1.0, self._flush_slow)

    # ---- payloads, by market -----------------------------------------------------------------

    def quote(self, at: VenueInstrument, quote: BookQuote, scale: int) -> dict[str, Any]:
        """bookTicker; `scale` is nanoseconds per unit of its times."""
        raise NotImplementedError

    def trade(self, at: VenueInstrument, trade: TradeTick, scale: int) -> dict[str, Any]:
        """trade."""
        raise NotImplementedError

    def depth(self, at: VenueInstrument, delta: BookDelta, scale: int) -> dict[str, Any]:
        """depthUpdate."""
        raise NotImplementedError

    def top(self, market: Market, depth: int, scale: int) -> dict[str, Any]:
        """depth5, depth10, depth20."""
        raise NotImplementedError

    def others(self, market: Market, kind: str, scale: int) -> dict[str, Any] | None:
        """Any other stream that is sent by the second (ticker, kline, mark price)."""
        raise NotImplementedError

    # ---- publishing --------------------------------------------------------------------------

    def send(self, stream: str, make: Callable[[int], dict[str, Any]]) -> None:
        """Publish `make(scale)` on a stream, in milliseconds and microseconds as wanted."""
        for channel, scale in ((stream, 1_000_000), (stream + MICRO, 1_000)):
            if self.dialect.wanted(channel):
                self.dialect.publish(channel, encode(make(scale)))

    def on_quote(self, at: VenueInstrument, quote: BookQuote) -> None:
        """The best prices changed."""
        self.send(f"{at.wire.lower()}@bookTicker", partial(self.quote, at, quote))

    def on_trade(self, at: VenueInstrument, trade: TradeTick) -> None:
        """A trade."""
        name = at.wire.lower()
        self.send(f"{name}@trade", partial(self.trade, at, trade))
        self._send_agg_trade(at, trade)

    def _send_agg_trade(self, at: VenueInstrument, trade: TradeTick) -> None:
        self._agg_id += 1
        self.send(f"{at.wire.lower()}@aggTrade", partial(self._agg_trade, at, trade, self._agg_id))

    def _agg_trade(
        self, at: VenueInstrument, trade: TradeTick, number: int, scale: int
    ) -> dict[str, Any]:
        row = self.trade(at, trade, scale)
        number_of_trade = row.pop("t")
        row.pop("X", None)
        row["e"] = "aggTrade"
        return {**row, "a": number, "f": number_of_trade, "l": number_of_trade}

    def on_book(self, at: VenueInstrument, delta: BookDelta) -> None:
        """Levels changed."""
        self._fast.note(delta)
        self._slow.note(delta)

    def _flush_fast(self) -> None:
        for delta in self._fast.take():
            market = self.dialect.exchange.markets[delta.symbol]
            name = market.instrument.wire.lower()
            told = self._spoiled(delta, f"{name}@depth")
            for suffix in self.fast_depths:
                self.send(f"{name}@depth{suffix}", partial(self.depth, market.instrument, told))
            self._send_partial(market)

    def _send_partial(self, market: Market) -> None:
        name = market.instrument.wire.lower()
        for depth in (5, 10, 20):
            for suffix in ("", *self.fast_depths):
                self.send(f"{name}@depth{depth}{suffix}", partial(self.top, market, depth))

    def play(self, stream: str, frame: bytes, event: MarketInput) -> None:
        """A recorded frame, as it was; other streams of the same subject get what they need."""
        market = self.dialect.exchange.markets[event.symbol]
        name = market.instrument.wire.lower()
        if isinstance(event, BookDelta):
            for suffix in ("", "@0ms", "@100ms", "@250ms", "@500ms"):
                self.dialect.publish(f"{name}@depth{suffix}", frame)
            self._send_partial(market)
            return
        self.dialect.publish(stream, frame)
        if isinstance(event, TradeTick) and not stream.endswith("@aggTrade"):
            self._send_agg_trade(market.instrument, event)

    def _spoiled(self, delta: BookDelta, where: str) -> BookDelta:
        """A `bad_checksum` fault: Binance has none, so the ids that detect a gap are spoiled."""
        if self.dialect.strikes(FaultKind.BAD_CHECKSUM, where) is None:
            return delta
        return msgspec.structs.replace(
            delta, first_seq=delta.first_seq + 1_000, seq=delta.seq + 1_000,
            previous=delta.previous + 1_000,
        )  # fmt: skip

    def _flush_slow(self) -> None:
        exchange = self.dialect.exchange
        for delta in self._slow.take():
            at = exchange.markets[delta.symbol].instrument
            self.send(f"{at.wire.lower()}@depth{self.slow_depth}", partial(self.depth, at, delta))
        for channel in list(self.dialect.listeners):
            name, _, kind = channel.removesuffix(MICRO).partition("@")
            market = exchange.by_wire.get(name.upper())
            if market is None or not kind:
                continue
            payload = self.others(market, kind, 1_000 if channel.endswith(MICRO) else 1_000_000)
            if payload is not None:
                self.dialect.publish(channel, encode(payload))
        self.arrays()
        now_ns = self.dialect.clock.under.now_ns()
        for session in self.dialect.sessions:
            if now_ns - session.state.get("born_ns", now_ns) > LIFE_NS:
                session.close(1001, "24 hours are over")

    def arrays(self) -> None:
        """Streams of all symbols at once, `!ticker@arr`."""

    # ---- connections -------------------------------------------------------------------------

    def open(self, session: Session, path_streams: str) -> None:
        """A connection: streams of its URL, its time unit, whether it is combined."""
        query = parse_qs(session.call.query)
        session.state["born_ns"] = self.dialect.clock.under.now_ns()
        session.state["combined"] = "/stream" in session.call.path and not path_streams
        unit = query.get("timeUnit", ["MILLISECOND"])[0].upper()
        session.state["micro"] = unit == "MICROSECOND"
        names = query.get("streams", [path_streams])[0]
        if "streams" in query:
            session.state["combined"] = True
        for name in filter(None, names.split("/")):
            if _NAME.fullmatch(name):
                self.dialect.subscribe(session, self._channel(session, name))

    @staticmethod
    def _channel(session: Session, name: str) -> str:
        return name + MICRO if session.state.get("micro") else name

    def framed(self, session: Session, channel: str, payload: bytes) -> bytes:
        """Combined connections get the stream's name around it."""
        if not session.state.get("combined"):
            return payload
        stream = channel.removesuffix(MICRO).encode()
        return b'{"stream":"' + stream + b'","data":' + payload + b"}"

    def count_message(self, session: Session) -> bool:
        """Count an incoming frame; False when the connection was closed for too many."""
        now_s = self.dialect.clock.under.now_ns() // 10**9
        second, count = session.state.get("messages", (now_s, 0))
        count = count + 1 if second == now_s else 1
        session.state["messages"] = (now_s, count)
        if count > self._messages_per_s:
            session.close(1008, "Too many requests")
            return False
        return True

    def on_message(self, session: Session, text: str) -> None:
        """SUBSCRIBE, UNSUBSCRIBE, LIST_SUBSCRIPTIONS, SET_PROPERTY, GET_PROPERTY."""
        if not self.count_message(session):
            return
        request_id: int | str | None = None
        try:
            frame = self._read(text)
            request_id = frame.id
            answer: dict[str, Any] = {"result": self._do(session, frame), "id": request_id}
        except BinanceError as error:
            answer = {"error": {"code": error.code, "msg": error.text}}
            if request_id is not None:
                answer["id"] = request_id
        session.send(encode(answer))

    @staticmethod
    def _read(text: str) -> _Frame:
        try:
            return msgspec.json.decode(text, type=_Frame)
        except msgspec.ValidationError as error:
            raise BinanceError(2, f"Invalid request: {error}") from error
        except msgspec.DecodeError as error:
            raise BinanceError(3, f"Invalid JSON: {error}") from error

    def _do(self, session: Session, frame: _Frame) -> Any:
        params = frame.params or []
        match frame.method:
            case "SUBSCRIBE" | "UNSUBSCRIBE":
                names = self._names(params)
                if frame.method == "UNSUBSCRIBE":
                    for name in names:
                        self.dialect.unsubscribe(session, self._channel(session, name))
                    return None
                if len(session.channels) + len(names) > STREAMS_MAX:
                    raise BinanceError(2, f"Invalid request: more than {STREAMS_MAX} streams")
                for name in names:
                    self.dialect.subscribe(session, self._channel(session, name))
                return None
            case "LIST_SUBSCRIPTIONS":
                return sorted(each.removesuffix(MICRO) for each in session.channels)
            case "SET_PROPERTY":
                if len(params) != 2 or params[0] != "combined":
                    raise BinanceError(0, "Unknown property")
                if not isinstance(params[1], bool):
                    raise BinanceError(1, "Invalid value type: expected Boolean")
                session.state["combined"] = params[1]
                return None
            case "GET_PROPERTY":
                if params != ["combined"]:
                    raise BinanceError(0, "Unknown property")
                return session.state["combined"]
            case _:
                known = "one of " + ", ".join(f"`{each}`" for each in _METHODS)
                raise BinanceError(
                    2,
                    f"Invalid request: unknown variant `{frame.method[:40]}`, expected {known}",
                )

    @staticmethod
    def _names(params: Iterable[Any]) -> list[str]:
        names = list(params)
        for name in names:
            if not isinstance(name, str) or not _NAME.fullmatch(name):
                raise BinanceError(2, "Invalid request: invalid stream")
        return names


def levels(
    at: VenueInstrument, rows: Iterable[tuple[int, int]], digits: int, sizes: int
) -> list[list[str]]:
    """`[[price, size], …]` as Binance writes them: spot with eight decimals, futures with few."""
    price_scale: int = 10 ** (digits - at.digits)
    size_scale: int = 10 ** (8 - sizes)
    return [
        [fixed(price * price_scale, digits), fixed(size // size_scale, sizes)]
        for price, size in rows
    ]
