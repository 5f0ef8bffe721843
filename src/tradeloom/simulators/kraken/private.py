"""The authenticated socket: orders, and the channels `executions` and `balances`."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import msgspec

from tradeloom.simulators.dialect import encode
from tradeloom.simulators.faults import FaultKind
from tradeloom.simulators.kraken.errors import KrakenError
from tradeloom.simulators.kraken.rest import dead_man
from tradeloom.simulators.kraken.rows import (
    executions,
    kind_word,
    number,
    side_word,
    time_text,
    whole_order,
)
from tradeloom.simulators.kraken.trading import Amending, Terms, placed
from tradeloom.simulators.orders import AccountEvent, BalanceEvent, Change, OrderEvent
from tradeloom.simulators.sessions import Session

if TYPE_CHECKING:
    from tradeloom.simulators.kraken.spot import KrakenSpot

CHANNELS: Final = ("executions", "balances")
TRADES_TOLD: Final = 50


class Which(msgspec.Struct):
    """Orders by name."""

    order_id: list[str] = []
    cl_ord_id: list[str] = []


class Editing(msgspec.Struct):
    """Another order in the place of one."""

    order_id: str
    symbol: str
    order_qty: Decimal
    limit_price: Decimal | None = None
    post_only: bool = False


class Batch(msgspec.Struct):
    """Orders by either name."""

    orders: list[str] = []
    cl_ord_id: list[str] = []


class After(msgspec.Struct):
    """Seconds of the dead-man switch."""

    timeout: int


class Private:
    """Requests with a token, and what they cause."""

    def __init__(self, venue: KrakenSpot) -> None:
        self._venue: Final = venue
        self._totals: Final[dict[tuple[str, str], int]] = {}
        self._ledger = 0

    # ---- requests ----------------------------------------------------------------------------

    async def on_request(
        self, session: Session, method: str, params: dict[str, Any], ack: dict[str, Any]
    ) -> None:
        """An order request, answered once or, for several orders, once each."""
        works: dict[str, Callable[[str, dict[str, Any]], list[Any]]] = {
            "add_order": self._add,
            "amend_order": self._amend,
            "cancel_order": self._cancel,
            "batch_cancel": self._batch_cancel,
            "edit_order": self._edit,
            "cancel_all": lambda who, _: [{"count": self._venue.trading.cancel_all(who)}],
            "cancel_all_orders_after": self._after,
        }
        work = works.get(method)
        if work is None:
            self._fail(session, ack, f"Unsupported method {method[:40]}")
            return
        if self._venue.strikes(FaultKind.HTTP_STATUS, method):
            self._fail(session, ack, "EService:Unavailable")
            return
        try:
            caller = self._venue.access.session(session, str(params.get("token", "")))
            if "trade" not in caller.scopes:
                raise KrakenError("EGeneral:Permission denied")
            answers = [
                encode({**ack, "result": result, "success": True})
                for result in work(caller.account, params)
            ]
        except KrakenError as error:
            answers = [encode({**ack, "error": error.text, "success": False})]
        except msgspec.ValidationError as error:
            text = f"EGeneral:Invalid arguments:{error}"
            answers = [encode({**ack, "error": text, "success": False})]
        unknown = encode({**ack, "error": "EService:Timeout", "success": False})
        for answer in answers:
            await self._venue.respond(
                session, method, answer, places=method == "add_order", unknown=unknown
            )

    def _fail(self, session: Session, ack: dict[str, Any], text: str) -> None:
        session.send(encode({**ack, "error": text, "success": False}))

    def _add(self, account: str, params: dict[str, Any]) -> list[Any]:
        terms = msgspec.convert(params, Terms, strict=False)
        return [placed(self._venue.trading.place(account, terms))]

    def _amend(self, account: str, params: dict[str, Any]) -> list[Any]:
        terms = msgspec.convert(params, Amending, strict=False)
        order = self._venue.trading.amend(account, terms)
        named = placed(order)
        return [{"amend_id": named["order_id"].replace("O", "T", 1), **named}]

    def _cancel(self, account: str, params: dict[str, Any]) -> list[Any]:
        which = msgspec.convert(params, Which, strict=False)
        wanted = [(each, "") for each in which.order_id] + [("", each) for each in which.cl_ord_id]
        if not wanted:
            raise KrakenError("EGeneral:Invalid arguments:order_id")
        return [placed(self._venue.trading.cancel(account, *each)) for each in wanted]

    def _batch_cancel(self, account: str, params: dict[str, Any]) -> list[Any]:
        batch = msgspec.convert(params, Batch, strict=False)
        wanted = [(each, "") for each in batch.orders] + [("", each) for each in batch.cl_ord_id]
        done = 0
        for order_id, client_id in wanted:
            with contextlib.suppress(KrakenError):
                self._venue.trading.cancel(account, order_id, client_id)
                done += 1
        return [{"count": done}]

    def _edit(self, account: str, params: dict[str, Any]) -> list[Any]:
        """Cancel and place anew; the old order stays when the new one is not accepted."""
        wanted = msgspec.convert(params, Editing, strict=False)
        old = self._venue.trading.find(account, wanted.order_id, "")
        terms = Terms(
            symbol=wanted.symbol,
            side=side_word(old.side),
            order_type=kind_word(old),
            order_qty=wanted.order_qty,
            limit_price=wanted.limit_price,
            post_only=wanted.post_only,
            validate=True,
        )
        self._venue.trading.place(account, terms)
        self._venue.trading.cancel(account, wanted.order_id, "")
        new = self._venue.trading.place(account, msgspec.structs.replace(terms, validate=False))
        return [{**placed(new), "original_order_id": wanted.order_id}]

    def _after(self, account: str, params: dict[str, Any]) -> list[Any]:
        seconds = msgspec.convert(params, After, strict=False).timeout
        return [dead_man(*self._venue.trading.cancel_after(account, max(seconds, 0)))]

    # ---- channels ----------------------------------------------------------------------------

    def subscribe(self, session: Session, params: dict[str, Any], ack: dict[str, Any]) -> None:
        """executions or balances, with a snapshot."""
        channel = str(params["channel"])
        try:
            caller = self._venue.access.session(session, str(params.get("token", "")))
        except KrakenError as error:
            self._fail(session, ack, error.text)
            return
        on = ack["method"] == "subscribe"
        if on:
            fresh = self._venue.subscribe(session, channel)
        else:
            fresh = self._venue.unsubscribe(session, channel)
        if not fresh:
            word = "Already subscribed" if on else "Subscription Not Found"
            self._fail(session, ack, word)
            return
        result = {"channel": channel, "snapshot": True}
        session.send(encode({**ack, "result": result, "success": True}))
        if on:
            session.state[f"{channel} sequence"] = 0
            rows = self._balances(caller.account)
            if channel == "executions":
                rows = self._open(caller.account, params)
            self._send(session, channel, "snapshot", rows)

    def _open(self, account: str, params: dict[str, Any]) -> list[dict[str, Any]]:
        exchange = self._venue.exchange
        found: list[dict[str, Any]] = []
        if params.get("snap_trades"):
            for fill in exchange.fills(account)[-TRADES_TOLD:]:
                order = exchange.books.find(account, fill.order_id, "")
                if order is not None:
                    event = OrderEvent(
                        change=Change.TRADE, order=order, fill=fill, ts_ns=fill.ts_ns
                    )
                    at = exchange.market(fill.symbol).instrument
                    found.append(executions(at, event)[0])
        if params.get("snap_orders", True):
            for order in exchange.open_orders(account):
                at = exchange.market(order.symbol).instrument
                found.append(whole_order(at, order, "status"))
        return found

    def _balances(self, account: str) -> list[dict[str, Any]]:
        rows = []
        for asset, each in self._venue.exchange.accounts[account].balances.items():
            total = number(each.free + each.locked, 8)
            self._totals[account, asset] = each.free + each.locked
            wallet = {"type": "spot", "id": "main", "balance": total}
            rows.append(
                {"asset": asset, "asset_class": "currency", "balance": total, "wallets": [wallet]}
            )
        return rows

    def tell(self, event: AccountEvent) -> None:
        """News for the account's sessions."""
        if isinstance(event, OrderEvent):
            at = self._venue.exchange.market(event.order.symbol).instrument
            for row in executions(at, event):
                self._tell(event.order.account, "executions", [row])
        else:
            rows = self._changed(event)
            if rows:
                self._tell(event.account, "balances", rows)

    def _changed(self, event: BalanceEvent) -> list[dict[str, Any]]:
        """Totals that moved; what orders hold is not told here."""
        rows = []
        for asset in event.assets:
            each = self._venue.exchange.accounts[event.account].balance(asset)
            total = each.free + each.locked
            before = self._totals.get((event.account, asset))
            if before == total:
                continue
            self._totals[event.account, asset] = total
            self._ledger += 1
            rows.append(
                {
                    "ledger_id": f"L{self._ledger:016d}",
                    "ref_id": f"T{self._ledger:016d}",
                    "timestamp": time_text(event.ts_ns),
                    "type": "trade" if event.cause == "trade" else "deposit",
                    "subtype": "",
                    "asset": asset,
                    "asset_class": "currency",
                    "category": "trade" if event.cause == "trade" else "deposit",
                    "wallet_type": "spot",
                    "wallet_id": "main",
                    "amount": number(total - (before or 0), 8),
                    "fee": number(0, 8),
                    "balance": number(total, 8),
                }
            )
        return rows

    def _tell(self, account: str, channel: str, rows: list[dict[str, Any]]) -> None:
        for session in self._venue.sessions_of(account):
            if channel in session.channels:
                self._send(session, channel, "update", rows)

    def _send(self, session: Session, channel: str, kind: str, rows: list[dict[str, Any]]) -> None:
        sequence = session.state[f"{channel} sequence"] = session.state[f"{channel} sequence"] + 1
        frame = {"channel": channel, "type": kind, "data": rows, "sequence": sequence}
        session.send(encode(frame), channel)
