"""The simulated venues of Bybit, and who is told what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from tradeloom.domain.market import BookDelta, BookQuote, TradeTick, VenueInstrument
from tradeloom.simulators.accounts import Fees
from tradeloom.simulators.bybit import rows
from tradeloom.simulators.bybit.sockets import BybitSockets
from tradeloom.simulators.dialect import encode
from tradeloom.simulators.orders import AccountEvent, Change, OrderEvent


class BybitSpot(BybitSockets):
    """Spot of a unified account."""

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
            self._send(account, "order", [row])

    def tell(self, event: AccountEvent) -> None:
        """`execution` and `order`, or `wallet` and `position`."""
        if isinstance(event, OrderEvent):
            at = self.exchange.markets[event.order.symbol].instrument
            if event.change is Change.TRADE and event.fill is not None:
                row = rows.execution_row(at, event.fill, event.order)
                self._send(event.order.account, "execution", [row])
            self._send(event.order.account, "order", [rows.order_row(at, event.order)])
            return
        self._send(event.account, "wallet", [self.trading.wallet_row(event.account, event.assets)])
        held = self.exchange.accounts[event.account]
        moved = [
            rows.position_row(self.exchange.markets[symbol], held, position)
            for (symbol, _), position in held.positions.items()
            if symbol in event.symbols
        ]
        if moved:
            self._send(event.account, "position", moved)

    def _send(self, account: str, topic: str, data: list[dict[str, Any]]) -> None:
        now = self.clock.now_ms()
        for session in self.sessions_of(account):
            told = session.state.get("topics", ())
            for name in (topic, f"{topic}.{self.category}"):
                if name in told:
                    head = {"id": f"{session.id}-{now}", "topic": name, "creationTime": now}
                    session.send(encode({**head, "data": data}))

    def notice(self) -> None:
        """Bybit gives no notice: it closes."""
        for session in tuple(self.sessions):
            session.close(1001, "service restart")

    def expire_tokens(self) -> int:
        """Signed-in sockets end."""
        ended = [each for each in self.sessions if each.credentials is not None]
        for session in ended:
            session.close(1008, "authentication expired")
        return len(ended)


class BybitLinear(BybitSpot):
    """Perpetuals settled in USDT."""

    name: ClassVar[str] = "bybit_linear"
    category: ClassVar[str] = "linear"
    fees: ClassVar[Fees] = Fees(200, 550)
    first_id: ClassVar[int] = 1_000_000_000
    dead_man_product: ClassVar[str] = "DERIVATIVES"
    dead_man_topic: ClassVar[str] = "dcp.future"
    per_second: ClassVar[Mapping[str, int]] = {"create": 10, "amend": 10, "cancel": 10, "look": 50}
    topics_per_frame: ClassVar[int] = 2_000
