"""The whole state of the oracle, its event sink and its double-entry ledger."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.oracle.arithmetic import post
from tests.oracle.codes import Ledger, OrderState, OrderType, Posting, Reason, Trading
from tests.oracle.config import Commission, Currency, Group, Instrument
from tests.oracle.wire import EVENT_OF, EVENTS, EventRecord, Value

ALL_INSTRUMENTS = 0xFFFF_FFFF
READ_ONLY, DISABLED, CLOSED = 1, 2, 4
Step = tuple[int, bool]  # instrument, True when its profit currency is the one we come from
Path = tuple[Step, ...]
Leg = tuple[int, int, int]  # ledger, sub account, posting
LegRow = tuple[Ledger, int, Posting, int, int]  # ledger, sub, reason, currency, amount


@dataclass
class Position:
    """An open position."""

    id: int
    account: int
    instrument: int
    side: int
    leverage: int
    volume: int
    cost: int
    sl: int
    tp: int
    trailing: int
    trailing_step: int
    markup: int
    commission: Commission
    swap_rates: tuple[int, int] | None
    path: Path
    last_swap_day: int
    tag: int
    order: int
    opened: int
    margin: int = 0
    initial: int = 0
    ledger_cost: int = 0
    swap: int = 0
    closing: int = 0

    @property
    def isolated(self) -> bool:
        return self.leverage > 0


@dataclass
class Order:
    """A live order, or an ended one in the routed-order table."""

    id: int
    account: int
    instrument: int
    side: int
    type: int
    tif: int
    volume: int
    price: int
    limit_price: int
    sl: int
    tp: int
    trailing: int
    trailing_step: int
    expire: int
    oco: int
    position: int
    leverage: int
    markup: int
    commission: Commission
    swap_rates: tuple[int, int] | None
    own_terms: int
    tag: int
    reason: int
    state: int = OrderState.WORKING
    filled: int = 0
    margin: int = 0
    opened: int = 0
    routed: bool = False

    @property
    def rest(self) -> int:
        return self.volume - self.filled

    @property
    def entry_price(self) -> int:
        return self.limit_price if self.type == OrderType.STOP_LIMIT else self.price

    @property
    def is_limit_now(self) -> bool:
        """A limit, or a stop-limit that was triggered (also when filled in part since)."""
        triggered = self.state in (OrderState.TRIGGERED, OrderState.PARTIAL)
        return self.type == OrderType.LIMIT or (self.type == OrderType.STOP_LIMIT and triggered)


@dataclass
class Account:
    """An account; `legs` holds the posted margin of its cross positions by instrument."""

    id: int
    group: int
    leverage: int
    flags: int
    opened: int
    state: int = Trading.ACTIVE
    level: int = 0
    legs: dict[int, int] = field(default_factory=dict)
    paths: dict[int, Path] = field(default_factory=dict)
    leg_rules: dict[int, tuple[object, ...]] = field(default_factory=dict)
    second: int = 0
    in_second: int = 0


@dataclass
class State:
    """Everything; positions and orders are plain dictionaries in id order."""

    shard: int = 0
    input_seq: int = 0
    event_seq: int = 0
    time: int = 0
    last_id: int = 0
    trading: int = Trading.ACTIVE
    currencies: list[Currency] = field(default_factory=list)
    instruments: list[Instrument] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)
    accounts: dict[int, Account] = field(default_factory=dict)
    positions: dict[int, Position] = field(default_factory=dict)
    orders: dict[int, Order] = field(default_factory=dict)
    routed: dict[int, Order] = field(default_factory=dict)
    trades: set[tuple[int, bytes]] = field(default_factory=set)
    customer: dict[tuple[int, int, int, int], int] = field(default_factory=lambda: defaultdict(int))
    house: dict[tuple[int, int], int] = field(default_factory=lambda: defaultdict(int))
    events: list[EventRecord] = field(default_factory=list)
    touched: set[int] = field(default_factory=set)
    legs_posted: int = 0
    counts: Counter[str] = field(default_factory=Counter)

    # ---- lookups -----------------------------------------------------------------------------

    def group_of(self, account: Account) -> Group:
        return self.groups[account.group]

    def currency_of(self, account: Account) -> int:
        return self.groups[account.group].currency

    def round(self, amount: int, currency: int) -> int:
        return post(amount, self.currencies[currency].digits)

    def balance(self, account: int) -> int:
        return self.cash(account, 0)

    def credit(self, account: int) -> int:
        return self.cash(account, 1)

    def cash(self, account: int, sub: int) -> int:
        currency = self.currency_of(self.accounts[account])
        return self.customer[Ledger.CASH, sub, currency, account]

    def positions_of(self, account: int) -> list[Position]:
        return [p for p in self.positions.values() if p.account == account]

    def cross(self, account: int, instrument: int | None = None) -> list[Position]:
        return [
            p
            for p in self.positions_of(account)
            if not p.isolated and instrument in (None, p.instrument)
        ]

    def orders_of(self, account: int) -> list[Order]:
        return [o for o in self.orders.values() if o.account == account]

    def working(self, account: int) -> list[Order]:
        """Pending orders that are not at a venue."""
        return [o for o in self.orders_of(account) if not o.routed]

    def halted(self, account: Account) -> bool:
        group = self.group_of(account)
        return Trading.HALTED in (self.trading, group.state, account.state)

    def next_id(self) -> int:
        self.last_id += 1
        return self.shard << 48 | self.last_id

    # ---- events ------------------------------------------------------------------------------

    def emit(
        self,
        name: str,
        fields: Mapping[str, Value],
        *,
        flags: int = 0,
        history: bool = True,
        legs: tuple[Mapping[str, Value], ...] = (),
        json: bytes = b"",
    ) -> None:
        kind = EVENT_OF[name]
        full: dict[str, Value] = {
            key: bytes(32) if letter == "Id" else 0 for key, letter in EVENTS[kind].fields
        }
        assert set(fields) <= set(full), set(fields) - set(full)
        full.update(fields)
        if history:
            self.event_seq += 1
        seq, cause = (self.event_seq, self.input_seq) if history else (0, 0)
        self.events.append(EventRecord(kind, flags, seq, self.time, cause, full, legs, json))

    def ledger(self, account: int, reference: int, rows: list[LegRow]) -> None:
        """Posts linked transfers and reports them; legs of nothing are left out."""
        rows = [row for row in rows if row[4] != 0]
        if not rows:
            return
        legs = []
        for ledger, sub, reason, currency, amount in rows:
            self.customer[ledger, sub, currency, account] += amount
            self.house[ledger, currency] -= amount
            legs.append(
                {
                    "ledger": int(ledger),
                    "sub": sub,
                    "reason": int(reason),
                    "currency": currency,
                    "amount": amount,
                }
            )
        fields = {
            "account": account,
            "reference": reference,
            "balance": self.balance(account),
            "credit": self.credit(account),
            "first_leg": self.legs_posted,
            "count": len(legs),
        }
        self.legs_posted += len(legs)
        self.emit("Ledger", fields, legs=tuple(legs))

    def emit_order(
        self, order: Order, reason: int, *, state: int | None = None, code: int = 0
    ) -> None:
        names = "side tif leverage volume filled price limit_price sl tp expire position oco tag"
        fields: dict[str, Value] = {name: int(getattr(order, name)) for name in names.split()}
        fields |= {"order": order.id, "account": order.account, "instrument": order.instrument}
        shown = order.state if state is None else state
        fields |= {"type_": int(order.type), "state": int(shown), "reason": int(reason)}
        self.emit("Order", fields | {"code": int(code)})
        self.counts[f"order {OrderState(shown).name} {Reason(reason).name}"] += 1


def margin_leg(currency: int, amount: int) -> LegRow:
    """A leg of ledger 5."""
    reason = Posting.MARGIN_LOCK if amount > 0 else Posting.MARGIN_RELEASE
    return Ledger.MARGIN, 0, reason, currency, amount
