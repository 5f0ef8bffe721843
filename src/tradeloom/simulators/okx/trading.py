"""What can be asked of an OKX account: placing, amending, cancelling, looking."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from tradeloom.domain.enums import Side
from tradeloom.domain.market import SIZE_DIGITS
from tradeloom.simulators.accounts import margin_used
from tradeloom.simulators.exchange import Market
from tradeloom.simulators.figures import BadFigure, scaled
from tradeloom.simulators.okx import rows
from tradeloom.simulators.okx.errors import OkxError, OrderFault, bad_param, fault
from tradeloom.simulators.orders import Force, NewOrder, Order, OrderKind, Reason, Refused

if TYPE_CHECKING:
    from tradeloom.simulators.okx.family import OkxFamily

Params = Mapping[str, Any]
Rows = list[dict[str, Any]]

_KINDS: Final = ("market", "limit", "post_only", "fok", "ioc", "optimal_limit_ioc")
_FORCES: Final = {"fok": Force.FOK, "ioc": Force.IOC, "optimal_limit_ioc": Force.IOC}
_HEDGE: Final = {"long": "LONG", "short": "SHORT"}
_BATCH_MAX: Final = 20


class Trading:
    """The signed operations; each takes parameters and the account, and returns `data`."""

    def __init__(self, venue: OkxFamily) -> None:
        self._venue = venue
        self._exchange = venue.exchange
        # Post-only orders that would have taken: accepted, and cancelled in the same breath.
        self.stillborn: Final[dict[str, dict[str, dict[str, Any]]]] = {}

    # ---- changing ----------------------------------------------------------------------------

    def each(
        self, work: Callable[[Params, str], Order | str], orders: Sequence[Params], account: str
    ) -> tuple[str, Rows]:
        """One operation on several orders: the code of the whole, and a row for each."""
        if len(orders) > _BATCH_MAX:
            raise OkxError("50025", f"Parameter args count exceeds the limit {_BATCH_MAX}")
        done: Rows = []
        for params in orders:
            row = {"clOrdId": str(params.get("clOrdId") or ""), "ordId": "", "tag": ""}
            code, text = "0", ""
            try:
                made = work(params, account)
                row["ordId"] = made if isinstance(made, str) else str(made.id)
                if isinstance(made, Order):
                    row["clOrdId"] = made.client_id
            except OrderFault as error:
                code, text = error.code, error.text
                row["ordId"] = str(params.get("ordId") or "")
            now = str(self._venue.clock.now_ms())
            done.append({**row, "ts": now, "sCode": code, "sMsg": text, "reqId": ""})
        failed = sum(1 for row in done if row["sCode"] != "0")
        return "0" if not failed else "1" if failed == len(done) else "2", done

    def place(self, params: Params, account: str) -> Order | str:
        """order."""
        market = self._market(params)
        expires = str(params.get("expTime") or "")
        if expires.isdigit() and int(expires) < self._venue.clock.now_ms():
            raise OrderFault("51149", "Order timed out. Please try again.")
        asked = self._new_order(params, market, account)
        try:
            return self._exchange.place(account, asked)
        except Refused as refused:
            if refused.reason is not Reason.WOULD_TAKE:
                raise fault(refused) from refused
        return self._cancelled_at_once(account, market, asked)

    def _cancelled_at_once(self, account: str, market: Market, asked: NewOrder) -> str:
        now = self._exchange.clock.now_ns()
        order = Order(
            id=self._exchange.books.next_id(), account=account, asked=asked,
            client_id=asked.client_id, symbol=market.instrument.symbol, side=asked.side,
            kind=asked.kind, price=asked.price, size=asked.size, created_ns=now, updated_ns=now,
        )  # fmt: skip
        row = rows.order_row(market.instrument, order) | {"state": "canceled", "cancelSource": "31"}
        self.stillborn.setdefault(account, {})[row["ordId"]] = row
        self._venue.later.append((account, row))
        return str(row["ordId"])

    def _new_order(self, params: Params, market: Market, account: str) -> NewOrder:
        at, swap = market.instrument, rows.is_swap(market.instrument)
        side = {"buy": Side.BUY, "sell": Side.SELL}.get(params.get("side", ""))
        kind, mode = params.get("ordType"), params.get("tdMode")
        if side is None:
            raise _odd("side")
        if kind not in _KINDS:
            raise _odd("ordType")
        if mode not in (("cross", "isolated") if swap else ("cash", "cross", "isolated")):
            raise _odd("tdMode")
        client_id = str(params.get("clOrdId") or "")
        if client_id and not (client_id.isascii() and client_id.isalnum() and len(client_id) <= 32):
            raise _odd("clOrdId")
        at_market = kind in ("market", "optimal_limit_ioc")
        names = ("ordType", "tdMode", "posSide", "tag")
        note: dict[str, Any] = {name: params[name] for name in names if params.get(name)}
        size, money = figure(params, "sz", SIZE_DIGITS), 0
        if not swap and at_market:
            note["tgtCcy"] = params.get("tgtCcy") or (
                "quote_ccy" if side is Side.BUY else "base_ccy"
            )
            if note["tgtCcy"] == "quote_ccy":
                size, money, note["sz"] = 0, size, str(params["sz"])
        held = self._exchange.accounts[account]
        position = _HEDGE.get(str(params.get("posSide") or ""), "")
        if swap and held.hedged is not bool(position):
            raise _odd("posSide")
        closes = bool(position) and (side is Side.BUY) is (position == "SHORT")
        return NewOrder(
            symbol=at.symbol,
            side=side,
            kind=OrderKind.MARKET if at_market else OrderKind.LIMIT,
            size=size,
            price=0 if at_market else figure(params, "px", at.digits),
            force=_FORCES.get(kind, Force.IOC if at_market else Force.GTC),
            post_only=kind == "post_only",
            reduce_only=closes or str(params.get("reduceOnly")).lower() == "true",
            quote_amount=money,
            client_id=client_id,
            position=position,
            note=note,
        )

    def amend(self, params: Params, account: str) -> Order:
        """amend-order."""
        market = self._market(params)
        order = self._open(params, account, "51503", "Order does not exist.")
        price = figure(params, "newPx", market.instrument.digits) if params.get("newPx") else None
        size = figure(params, "newSz", SIZE_DIGITS) if params.get("newSz") else None
        try:
            return self._exchange.amend(order, price=price, size=size)
        except Refused as refused:
            raise fault(refused) from refused

    def cancel(self, params: Params, account: str) -> Order:
        """cancel-order."""
        self._market(params)
        text = "Cancellation failed as the order has been filled, canceled or does not exist."
        return self._exchange.cancel(self._open(params, account, "51400", text))

    def cancel_after(self, params: Params, account: str) -> Rows:
        """cancel-all-after."""
        told = str(params.get("timeOut") or "")
        if not told.isdigit() or not (told == "0" or 10 <= int(told) <= 120):
            raise bad_param("timeOut")
        trigger = self._venue.count_down(account, int(told))
        return [{"triggerTime": trigger, "tag": "", "ts": str(self._venue.clock.now_ms())}]

    # ---- looking -----------------------------------------------------------------------------

    def order(self, params: Params, account: str) -> Rows:
        """/trade/order."""
        self._market(params)
        name = "ordId" if params.get("ordId") else "clOrdId"
        found = [row for row in self._rows(account, params) if row[name] == params.get(name)]
        if not found:
            raise OkxError("51603", "Order does not exist")
        return found[:1]

    def pending(self, params: Params, account: str) -> Rows:
        """/trade/orders-pending."""
        open_states = ("live", "partially_filled")
        found = [row for row in self._rows(account, params) if row["state"] in open_states]
        return _page(found, params, "ordId")

    def history(self, params: Params, account: str) -> Rows:
        """/trade/orders-history."""
        found = [r for r in self._rows(account, params) if r["state"] in ("filled", "canceled")]
        return _page(found, params, "ordId")

    def _rows(self, account: str, params: Params) -> Rows:
        found = self._exchange.orders(account)
        made = [
            self._with_fill(self._exchange.markets[each.symbol].instrument, each) for each in found
        ]
        made += self.stillborn.get(account, {}).values()
        wanted = params.get("instId")
        kept = [row for row in made if wanted in (None, "", row["instId"])]
        return sorted(kept, key=lambda row: int(row["ordId"]), reverse=True)

    def _with_fill(self, at: Any, order: Order) -> dict[str, Any]:
        if not order.filled:
            return rows.order_row(at, order)
        fills = self._exchange.fills(order.account, order.symbol)
        last = next((each for each in reversed(fills) if each.order_id == order.id), None)
        return rows.order_row(at, order, last)

    def fills(self, params: Params, account: str) -> Rows:
        """/trade/fills, newest first."""
        begin, end = int(params.get("begin") or 0), int(params.get("end") or 2**62)
        found = []
        for fill in reversed(self._exchange.fills(account)):
            at = self._exchange.markets[fill.symbol].instrument
            row = rows.fill_row(at, fill)
            wanted = all(params.get(n) in (None, "", row[n]) for n in ("instId", "ordId"))
            if wanted and begin <= int(row["ts"]) <= end:
                found.append(row)
        return _page(found, params, "billId")

    def balance(self, params: Params, account: str) -> Rows:
        """/account/balance."""
        wanted = [each for each in str(params.get("ccy") or "").split(",") if each]
        held = self._exchange.accounts[account].balances
        return [self.balance_row(account, wanted or list(held))]

    def balance_row(self, account: str, assets: list[str]) -> dict[str, Any]:
        """The account with these currencies."""
        held, now = self._exchange.accounts[account], self._venue.clock.now_ms()
        details = []
        for asset in assets:
            bound = 0
            for (symbol, _), position in held.positions.items():
                market = self._exchange.markets[symbol]
                if market.instrument.settle == asset:
                    bound += margin_used(market.instrument, position, market.mark)
            details.append(rows.money_row(held, asset, bound, now))
        return {"totalEq": "", "isoEq": "0", "uTime": str(now), "details": details}

    def positions(self, params: Params, account: str) -> Rows:
        """/account/positions."""
        held = self._exchange.accounts[account].positions.items()
        made = [
            rows.position_row(self._exchange.markets[s], each) for (s, _), each in held if each.size
        ]
        return [row for row in made if params.get("instId") in (None, "", row["instId"])]

    def config(self, params: Params, account: str) -> Rows:
        """/account/config."""
        hedged = self._exchange.accounts[account].hedged
        mode = "long_short_mode" if hedged else "net_mode"
        perm = "read_only,trade"
        return [
            {
                "uid": "1",
                "mainUid": "1",
                "acctLv": "2",
                "posMode": mode,
                "perm": perm,
                "label": account,
            }
        ]

    def set_position_mode(self, params: Params, account: str) -> Rows:
        """/account/set-position-mode."""
        mode = params.get("posMode")
        if mode not in ("long_short_mode", "net_mode"):
            raise bad_param("posMode")
        self._exchange.accounts[account].hedged = mode == "long_short_mode"
        return [{"posMode": mode}]

    # ---- inside ------------------------------------------------------------------------------

    def _market(self, params: Params) -> Market:
        code = params.get("instIdCode")
        if code is not None:
            for market in self._exchange.markets.values():
                if market.instrument.wire_code == code:
                    return market
        try:
            return self._exchange.market(str(params.get("instId") or ""))
        except Refused as refused:
            raise fault(refused) from refused

    def _open(self, params: Params, account: str, code: str, text: str) -> Order:
        told = str(params.get("ordId") or "")
        try:
            order = self._exchange.order(
                account,
                order_id=int(told) if told.isdigit() else None,
                client_id=str(params.get("clOrdId") or ""),
            )
        except Refused as refused:
            raise OrderFault(code, text) from refused
        if not order.status.open:
            raise OrderFault(code, text)
        return order


def figure(params: Params, name: str, digits: int) -> int:
    """A decimal text of the parameters; raises 51000."""
    try:
        return scaled(str(params.get(name) or ""), digits)
    except BadFigure as error:
        raise _odd(name) from error


def _odd(name: str) -> OrderFault:
    return OrderFault("51000", f"Parameter {name} error")


def _page(found: Rows, params: Params, cursor: str) -> Rows:
    """Newest first; `after` asks for older ones than an id."""
    told = str(params.get("limit") or "100")
    if not told.isdigit() or not 1 <= int(told) <= 100:
        raise bad_param("limit")
    after = str(params.get("after") or "")
    if after.isdigit():
        found = [row for row in found if int(row[cursor]) < int(after)]
    return found[: int(told)]
