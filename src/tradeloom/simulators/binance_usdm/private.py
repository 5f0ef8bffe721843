"""USD-M's user data stream: listen keys and the events behind them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from tradeloom.simulators.accounts import entry_price, unrealised
from tradeloom.simulators.binance.errors import BinanceError
from tradeloom.simulators.binance_usdm.orders import algo_status, average, order_row
from tradeloom.simulators.binance_usdm.rows import price, size
from tradeloom.simulators.dialect import encode
from tradeloom.simulators.figures import fixed
from tradeloom.simulators.keys import seeded_text
from tradeloom.simulators.orders import (
    AccountEvent,
    BalanceEvent,
    Change,
    Order,
    OrderEvent,
    Reason,
    Status,
)
from tradeloom.simulators.sessions import Session

if TYPE_CHECKING:
    from tradeloom.simulators.binance_usdm.usdm import BinanceUsdm

LIFE_NS: Final = 60 * 60 * 10**9
KEY: Final = "listen_key"
_MS: Final = 1_000_000
_CHANGES: Final = {
    Change.NEW: "NEW",
    Change.TRIGGERED: "NEW",
    Change.TRADE: "TRADE",
    Change.CANCELED: "CANCELED",
    Change.EXPIRED: "EXPIRED",
    Change.AMENDED: "AMENDMENT",
}
_CAUSES: Final = {"trade": "ORDER", "funding": "FUNDING_FEE", "deposit": "DEPOSIT"}


class _ListenKey(msgspec.Struct):
    text: str
    account: str
    ends_ns: int


class UsdmUserData:
    """Listen keys, and what their readers hear."""

    def __init__(self, venue: BinanceUsdm) -> None:
        self._venue = venue
        self._keys: dict[str, _ListenKey] = {}
        self._made = 0

    # ---- listen keys -------------------------------------------------------------------------

    def listen_key(self, account: str) -> str:
        """The account's key, made when there is none."""
        now_ns = self._venue.clock.now_ns()
        for key in self._keys.values():
            if key.account == account:
                key.ends_ns = now_ns + LIFE_NS
                return key.text
        self._made += 1
        text = seeded_text(self._venue.seed, self._venue.name, "listen key", str(self._made))
        self._keys[text] = _ListenKey(text, account, now_ns + LIFE_NS)
        return text

    def keep(self, account: str) -> str:
        """Another 60 minutes; raises -1125 when there is no key."""
        for key in self._keys.values():
            if key.account == account:
                key.ends_ns = self._venue.clock.now_ns() + LIFE_NS
                return key.text
        raise BinanceError(-1125, "This listenKey does not exist.")

    def stop(self, account: str) -> None:
        """The account's key is over."""
        for text, key in list(self._keys.items()):
            if key.account == account:
                del self._keys[text]

    def open(self, session: Session, text: str) -> bool:
        """A connection that names a listen key; False when there is no such key."""
        key = self._keys.get(text)
        if key is None:
            return False
        session.state[KEY] = text
        session.state["account"] = key.account
        return True

    def expire(self, everything: bool = False) -> int:
        """End what is over (or everything): `listenKeyExpired`; how many keys."""
        now_ns = self._venue.clock.now_ns()
        ended = [each for each in self._keys.values() if everything or each.ends_ns <= now_ns]
        for key in ended:
            event = {
                "e": "listenKeyExpired", "E": now_ns // _MS, "listenKey": key.text,
            }  # fmt: skip
            for session in self._readers(key.account):
                session.send(encode(event), "userData")
                session.state.pop(KEY, None)
            del self._keys[key.text]
        return len(ended)

    def _readers(self, account: str) -> list[Session]:
        found = [
            each
            for each in self._venue.sessions
            if each.state.get("account") == account and each.state.get(KEY) in self._keys
        ]
        return sorted(found, key=lambda session: session.id)

    # ---- events ------------------------------------------------------------------------------

    def tell(self, event: AccountEvent) -> None:
        """Whatever a change of an order or a balance is called here."""
        if isinstance(event, BalanceEvent):
            if event.cause in _CAUSES:
                self._send(event.account, self._account_update(event))
            return
        order = event.order
        if order.asked.note.get("algo"):
            self._send(order.account, self._algo_update(event))
            if not order.triggered:
                return
        if event.fill is not None:
            self._send(order.account, self._trade_lite(event))
        self._send(order.account, self._order_update(event))

    def config_changed(self, account: str, symbol: str, leverage: int) -> None:
        """ACCOUNT_CONFIG_UPDATE."""
        now_ms = self._venue.clock.now_ms()
        self._send(
            account,
            {
                "e": "ACCOUNT_CONFIG_UPDATE", "E": now_ms, "T": now_ms,
                "ac": {"s": symbol, "l": leverage},
            },
        )  # fmt: skip

    def _send(self, account: str, event: dict[str, Any]) -> None:
        readers = self._readers(account)
        if readers:
            payload = encode(event)
            for session in readers:
                session.send(self._venue.framed(session, session.state[KEY], payload), "userData")

    def _trade_lite(self, event: OrderEvent) -> dict[str, Any]:
        order, fill = event.order, event.fill
        at = self._venue.exchange.markets[order.symbol].instrument
        return {
            "e": "TRADE_LITE", "E": self._venue.clock.now_ms(), "T": event.ts_ns // _MS,
            "s": at.wire, "q": size(at, order.size), "p": price(at, order.price),
            "m": bool(fill and fill.maker), "c": order.client_id, "S": order.side.name,
            "L": price(at, fill.price if fill else 0), "l": size(at, fill.size if fill else 0),
            "t": fill.trade_id if fill else 0, "i": order.id,
        }  # fmt: skip

    def _order_update(self, event: OrderEvent) -> dict[str, Any]:
        order, fill = event.order, event.fill
        at = self._venue.exchange.markets[order.symbol].instrument
        row = order_row(at, order)
        note = order.asked.note
        kind = _CHANGES[event.change]
        if order.reason is Reason.SELF_TRADE and event.change is Change.EXPIRED:
            kind = "EXPIRED"
        body: dict[str, Any] = {
            "s": at.wire,
            "c": order.client_id,
            "S": order.side.name,
            "o": row["type"],
            "f": row["timeInForce"],
            "q": row["origQty"],
            "p": row["price"],
            "ap": average(at, order),
            "sp": price(at, order.stop_price),
            "x": kind,
            "X": row["status"],
            "i": order.id,
            "l": size(at, fill.size if fill else 0),
            "z": row["executedQty"],
            "L": price(at, fill.price if fill else 0),
            "T": event.ts_ns // _MS,
            "t": fill.trade_id if fill else 0,
            "b": "0",
            "a": "0",
            "m": bool(fill and fill.maker),
            "R": row["reduceOnly"],
            "wt": note["working"],
            "ot": row["origType"],
            "ps": row["positionSide"],
            "cp": note["close"],
            "rp": fixed(fill.realised if fill else 0, 8),
            "pP": False,
            "si": 0,
            "ss": 0,
            "V": "EXPIRE_MAKER",
            "pm": "NONE",
            "gtd": note["gtd"],
        }
        if fill is not None:
            body |= {"n": fixed(fill.fee, 8), "N": fill.fee_asset}
        return {
            "e": "ORDER_TRADE_UPDATE", "E": self._venue.clock.now_ms(), "T": event.ts_ns // _MS,
            "o": body,
        }  # fmt: skip

    def _algo_update(self, event: OrderEvent) -> dict[str, Any]:
        order = event.order
        at = self._venue.exchange.markets[order.symbol].instrument
        note = order.asked.note
        return {
            "e": "ALGO_UPDATE", "T": event.ts_ns // _MS, "E": self._venue.clock.now_ms(),
            "o": {
                "caid": order.client_id, "aid": order.id, "at": "CONDITIONAL", "o": note["type"],
                "s": at.wire, "S": order.side.name, "ps": order.asked.position or "BOTH",
                "f": note["force"], "q": size(at, order.size), "X": _algo_word(order),
                "ai": str(order.id) if order.triggered else "", "ap": average(at, order),
                "aq": size(at, order.filled), "act": note["type"],
                "tp": price(at, order.stop_price), "p": price(at, order.price),
                "V": "EXPIRE_MAKER", "wt": note["working"], "pm": "NONE", "cp": note["close"],
                "pP": False, "R": note["reduce"] or note["close"],
                "tt": event.ts_ns // _MS if order.triggered else 0, "gtd": note["gtd"],
                "rm": "",
            },
        }  # fmt: skip

    def _account_update(self, event: BalanceEvent) -> dict[str, Any]:
        account = self._venue.exchange.accounts[event.account]
        funding = event.cause == "funding"
        rows = []
        for (symbol, _), position in sorted(account.positions.items()):
            # Cross margin: a funding fee tells the balance only.
            if symbol not in event.symbols or funding:
                continue
            market = self._venue.exchange.markets[symbol]
            at = market.instrument
            entry = fixed(entry_price(at, position, 4), at.digits + 4)
            rows.append(
                {
                    "s": at.wire, "pa": size(at, position.size), "ep": entry, "bep": entry,
                    "cr": fixed(position.realised, 8),
                    "up": fixed(unrealised(at, position, market.mark), 8),
                    "mt": "cross", "iw": "0", "ps": position.side or "BOTH",
                }
            )  # fmt: skip
        return {
            "e": "ACCOUNT_UPDATE", "E": self._venue.clock.now_ms(), "T": event.ts_ns // _MS,
            "a": {
                "m": _CAUSES[event.cause],
                "B": [
                    {
                        "a": asset, "wb": fixed(wallet, 8), "cw": fixed(wallet, 8),
                        "bc": fixed(event.amount, 8),
                    }
                    for asset in event.assets
                    for balance in (account.balance(asset),)
                    for wallet in (balance.free + balance.locked,)
                ],
                "P": rows,
            },
        }  # fmt: skip


def _algo_word(order: Order) -> str:
    word = algo_status(order)
    return "CANCELED" if word == "EXPIRED" and order.status is Status.CANCELED else word
