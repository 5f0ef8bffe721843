"""The simulated venues of OKX: who is told what, and recordings of the venue itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, Final

import msgspec

from tradeloom.domain.enums import Side
from tradeloom.domain.market import (
    SIZE_DIGITS,
    BookDelta,
    BookQuote,
    TradeTick,
    VenueInstrument,
)
from tradeloom.simulators.accounts import Fees
from tradeloom.simulators.dialect import encode
from tradeloom.simulators.exchange import MarketInput
from tradeloom.simulators.figures import scaled
from tradeloom.simulators.okx import rows
from tradeloom.simulators.okx.sockets import OkxSockets
from tradeloom.simulators.orders import AccountEvent, OrderEvent

_RECORDED: Final = ("bbo-tbt", "books", "trades")


class OkxSpot(OkxSockets):
    """Spot of a trading account."""

    # ---- the market and the account moved ----------------------------------------------------

    def on_quote(self, instrument: VenueInstrument, quote: BookQuote) -> None:
        """The best prices changed."""
        self.streams.on_quote(instrument, quote)

    def on_trade(self, instrument: VenueInstrument, trade: TradeTick) -> None:
        """A trade."""
        self.streams.on_trade(instrument, trade)

    def on_book(self, instrument: VenueInstrument, delta: BookDelta) -> None:
        """Levels changed."""
        self.streams.on_book(instrument, delta)

    def flush(self) -> None:
        """What waits, and the rows of orders that never were."""
        super().flush()
        later, self.later[:] = list(self.later), ()
        for account, row in later:
            self._send(account, "orders", [row])

    def tell(self, event: AccountEvent) -> None:
        """`orders`, or `account` and `positions`."""
        if isinstance(event, OrderEvent):
            at = self.exchange.markets[event.order.symbol].instrument
            row = rows.order_row(at, event.order, event.fill)
            self._send(event.order.account, "orders", [row])
            return
        data = [self.trading.balance_row(event.account, list(event.assets))]
        self._send(
            event.account, "account", data, eventType="event_update", curPage=1, lastPage=True
        )
        held = self.exchange.accounts[event.account].positions.items()
        moved = [
            rows.position_row(self.exchange.markets[symbol], position)
            for (symbol, _), position in held
            if symbol in event.symbols
        ]
        if moved:
            self._send(event.account, "positions", moved)

    def _send(self, account: str, channel: str, data: list[dict[str, Any]], **more: Any) -> None:
        for session in self.sessions_of(account):
            arg = session.state.get("channels", {}).get(channel)
            if arg is None:
                continue
            wanted = arg.get("instId")
            kept = [row for row in data if wanted in (None, "", row.get("instId"))]
            if kept:
                session.send(encode({"arg": {**arg, "uid": "1"}, **more, "data": kept}))

    def notice(self) -> None:
        """64008, as OKX sends it a minute before a connection is closed."""
        text = "The connection will soon be closed for a service upgrade. Please reconnect."
        for session in tuple(self.sessions):
            self._say(session, {"event": "notice", "code": "64008", "msg": text})

    def expire_tokens(self) -> int:
        """Signed-in sockets end."""
        ended = [each for each in self.sessions if each.credentials is not None]
        for session in ended:
            session.close(4004, "the log-in has expired")
        return len(ended)

    # ---- recordings --------------------------------------------------------------------------

    def read_frame(self, ts_ns: int, frame: bytes) -> Iterator[tuple[str, bytes, MarketInput]]:
        """Best prices, books and trades of a capture of OKX."""
        found = msgspec.json.decode(frame)
        arg = found.get("arg") if isinstance(found, dict) else None
        if not arg or "data" not in found or arg.get("channel") not in _RECORDED:
            return
        market = self.exchange.by_wire.get(arg.get("instId", ""))
        if market is None:
            return
        name = f"{arg['channel']}:{market.instrument.wire}"
        for row in found["data"]:
            event = self._event(market.instrument, arg["channel"], found, row, ts_ns)
            # Frames carry one row each; were there more, each would go out on its own.
            yield name, encode({**found, "data": [row]}), event

    def _event(
        self,
        at: VenueInstrument,
        channel: str,
        frame: dict[str, Any],
        row: dict[str, Any],
        ts_ns: int,
    ) -> MarketInput:
        told = int(row["ts"]) * rows.MS
        head = (self.name, at.symbol, at.digits)
        if channel == "trades":
            side = Side.BUY if row["side"] == "buy" else Side.SELL
            price, size = scaled(row["px"], at.digits), scaled(row["sz"], SIZE_DIGITS)
            return TradeTick(*head, price, size, side, row["tradeId"], told, ts_ns)
        bids, asks = (
            tuple((scaled(each[0], at.digits), scaled(each[1], SIZE_DIGITS)) for each in row[side])
            for side in ("bids", "asks")
        )
        seq = int(row.get("seqId") or 0)
        if channel == "bbo-tbt":
            bid, ask = (side[0] if side else (0, 0) for side in (bids, asks))
            return BookQuote(*head, bid[0], ask[0], bid[1], ask[1], told, ts_ns, seq)
        whole = frame.get("action") == "snapshot"
        return BookDelta(
            *head, whole, bids, asks, told, ts_ns, seq, seq, int(row.get("prevSeqId", -1))
        )


class OkxSwap(OkxSpot):
    """Perpetual swaps."""

    name: ClassVar[str] = "okx_swap"
    kind: ClassVar[str] = "SWAP"
    fees: ClassVar[Fees] = Fees(200, 500)
    first_id: ClassVar[int] = 699_823_446_566_084_608
