"""Refusals: what is malformed, unknown or impossible leaves no trace (section 4)."""

from __future__ import annotations

from tests.oracle.codes import (
    At,
    BalanceOp,
    Code,
    OrderType,
    RefusedError,
    ReportKind,
    Scope,
    Side,
    Tif,
)
from tests.oracle.config import Currency, Group, Instrument
from tests.oracle.definitions import currency_of, group_of, instrument_of
from tests.oracle.quote import routed
from tests.oracle.state import ALL_INSTRUMENTS, CLOSED, State
from tests.oracle.trading import field
from tests.oracle.wire import KIND_OF, InputRecord

NEEDS_ACCOUNT = {21, 22, 23, *range(30, 45)}
K = KIND_OF


def refuse(code: Code, at: At) -> None:
    """Raises the refusal."""
    raise RefusedError(code, at)


def check(wrong: bool, code: Code, at: At) -> None:
    """Refuses when something is wrong."""
    if wrong:
        refuse(code, at)


# ---- 1: the record ---------------------------------------------------------------------------

ENUMERATIONS: dict[str, dict[str, tuple[int, At]]] = {
    "PlaceOrder": {
        "side": (2, At.SIDE),
        "type_": (4, At.TYPE),
        "tif": (5, At.TIF),
        "flags": (2, At.FLAGS),
        "terms": (8, At.TERMS),
        "commission_mode": (4, At.COMMISSION),
        "commission_when": (3, At.COMMISSION),
    },
    "OpenAccount": {"flags": (4, At.FLAGS)},
    "UpdateAccount": {"flags": (4, At.FLAGS)},
    "Balance": {"op": (5, At.OP)},
    "SetTradingState": {"scope": (4, At.SCOPE), "state": (3, At.STATE)},
    "Report": {"kind": (6, At.KIND)},
}
RESERVED = {"reserved", "r0", "r1", "r2"}
NAME_OF = {kind: name for name, kind in KIND_OF.items()}


def check_record(record: InputRecord) -> None:
    """Enumerations and reserved fields, in record order."""
    limits = ENUMERATIONS.get(NAME_OF[record.kind], {})
    for name, value in record.fields.items():
        if isinstance(value, bytes):
            continue
        if name.startswith("commission_") and not field(record, "terms") & 1:
            continue
        if name in limits:
            size, at = limits[name]
            check(value >= size, Code.BAD_RECORD, at)
        if name in RESERVED:
            check(value != 0, Code.BAD_RECORD, At.FLAGS)


# ---- 4 and 5: account and referents ------------------------------------------------------------


def check_account(state: State, record: InputRecord) -> None:
    """The account a command is for."""
    needs = record.kind in NEEDS_ACCOUNT
    if record.kind == K["Rollover"] and record.account:
        needs = True
    if needs:
        check(record.account not in state.accounts, Code.USER_NOT_FOUND, At.ACCOUNT)
        closed = state.accounts[record.account].flags & CLOSED
        check(closed != 0, Code.ACCOUNT_CLOSED, At.ACCOUNT)
    if record.kind == K["OpenAccount"]:
        check(record.account == 0, Code.ERR_PARAMS, At.ACCOUNT)
        check(record.account in state.accounts, Code.USR_LOGIN_EXIST, At.ACCOUNT)


def check_referents(state: State, record: InputRecord) -> None:
    """Instrument, group, order and positions, in record order."""
    kind = record.kind
    if "instrument" in record.fields:
        index = field(record, "instrument")
        every = kind in (K["CancelAll"], K["CloseAll"]) and index == ALL_INSTRUMENTS
        unknown = index >= len(state.instruments) and not every
        check(unknown, Code.SYMBOL_NOT_FOUND, At.INSTRUMENT)
    if "group" in record.fields:
        unknown = field(record, "group") >= len(state.groups)
        check(unknown, Code.GROUP_NOT_FOUND, At.GROUP)
    if kind == K["Report"]:
        order = state.routed.get(field(record, "order"))
        if order is None:
            raise RefusedError(Code.TRADE_INCORRECT_ORDER, At.ORDER)
        closed = state.accounts[order.account].flags & CLOSED
        check(closed != 0, Code.ACCOUNT_CLOSED, At.ORDER)
    elif "order" in record.fields:
        live = state.orders.get(field(record, "order"))
        mine = live is not None and live.account == record.account
        check(not mine, Code.TRADE_INCORRECT_ORDER, At.ORDER)
    if kind == K["PlaceOrder"] and not record.fields["position"]:
        return
    for name, at in (("position", At.POSITION), ("position_by", At.POSITION_BY)):
        if name in record.fields:
            p = state.positions.get(field(record, name))
            mine = p is not None and p.account == record.account
            check(not mine, Code.TRADE_INCORRECT_ORDER, at)


# ---- 6: values -----------------------------------------------------------------------------------


def parse_definition(state: State, record: InputRecord) -> Currency | Instrument | Group | None:
    """DEFINE_*: the checked definition, or None for other kinds."""
    if record.kind == K["DefineCurrency"]:
        made = currency_of(record.json)
        same = [c for c in state.currencies if c.code == made.code]
        moved = bool(same) and same[0].digits != made.digits
        check(moved, Code.TRADE_INCORRECT_STATE, At.DIGITS)
        return made
    if record.kind == K["DefineInstrument"]:
        instrument = instrument_of(record.json, state.currencies)
        old = [i for i in state.instruments if i.symbol == instrument.symbol]
        if old and old[0].locked != instrument.locked:
            used = _in_use(state, old[0].index)
            check(used, Code.TRADE_INCORRECT_STATE, At.SYMBOL)
        return instrument
    if record.kind == K["DefineGroup"]:
        group = group_of(record.json, state.currencies, state.instruments)
        before = [g for g in state.groups if g.name == group.name]
        if before and (before[0].currency, before[0].mode) != (group.currency, group.mode):
            members = [a for a in state.accounts.values() if not a.flags & CLOSED]
            used = any(a.group == before[0].index for a in members)
            check(used, Code.TRADE_INCORRECT_STATE, At.NAME)
        return group
    return None


def _in_use(state: State, index: int) -> bool:
    """A position or order on the instrument, or a profit path over it."""
    on_it = {p.instrument for p in state.positions.values()}
    on_it |= {order.instrument for order in state.orders.values()}
    paths = [p.path for p in state.positions.values()]
    for account in state.accounts.values():
        paths += account.paths.values()
    return index in on_it or any(index == step[0] for path in paths for step in path)


def check_values(state: State, record: InputRecord) -> None:
    """Section 4.6 for every kind but the definitions."""
    name = NAME_OF[record.kind]
    checks = {
        "Quote": _quote,
        "OpenAccount": _account,
        "UpdateAccount": _account,
        "CloseAccount": _close_account,
        "Balance": _balance,
        "PlaceOrder": _place,
        "ModifyOrder": _modify,
        "ClosePosition": _close_position,
        "CloseBy": _close_by,
        "Reverse": _reverse,
        "ModifyPosition": _modify_position,
        "SetTradingState": _trading_state,
        "Rollover": _rollover,
        "Funding": _funding,
        "Report": _report,
    }
    if name in checks:
        checks[name](state, record)


def _quote(state: State, record: InputRecord) -> None:
    price_max = state.instruments[field(record, "instrument")].price_max
    bid, ask = field(record, "bid"), field(record, "ask")
    check(not 0 < bid <= price_max, Code.TRADE_BAD_PRICES, At.BID)
    check(not 0 < ask <= price_max or ask < bid, Code.TRADE_BAD_PRICES, At.ASK)


def _account(state: State, record: InputRecord) -> None:
    if record.kind == K["UpdateAccount"]:
        account = state.accounts[record.account]
        old, new = state.group_of(account), state.groups[field(record, "group")]
        busy = bool(state.positions_of(account.id) or state.orders_of(account.id))
        wrong = old.currency != new.currency or (busy and old.mode != new.mode)
        check(wrong, Code.TRADE_INCORRECT_STATE, At.GROUP)
    check(field(record, "leverage") > 10_000, Code.ERR_PARAMS, At.LEVERAGE)


def _close_account(state: State, record: InputRecord) -> None:
    number = record.account
    busy = bool(state.positions_of(number) or state.orders_of(number))
    check(busy, Code.USR_HAS_TRADES, At.ACCOUNT)
    money = state.balance(number) != 0 or state.credit(number) != 0
    check(money, Code.TRADE_INCORRECT_STATE, At.ACCOUNT)


def _balance(state: State, record: InputRecord) -> None:
    op, amount = field(record, "op"), field(record, "amount")
    digits = state.currencies[state.currency_of(state.accounts[record.account])].digits
    wrong = amount == 0 if op == BalanceOp.CORRECTION else amount <= 0
    check(wrong or amount % 10 ** (8 - digits) != 0, Code.ERR_PARAMS, At.AMOUNT)
    check(abs(amount) > 10**28, Code.OVERFLOW, At.AMOUNT)
    credit = op in (BalanceOp.CREDIT_IN, BalanceOp.CREDIT_OUT)
    sign = -1 if op in (BalanceOp.WITHDRAWAL, BalanceOp.CREDIT_OUT) else 1
    after = state.cash(record.account, int(credit)) + sign * amount
    check(abs(after) > 10**30, Code.OVERFLOW, At.AMOUNT)


def _prices(record: InputRecord, order_type: int, price_max: int) -> None:
    price, limit = field(record, "price"), field(record, "limit_price")
    good = price >= 0 if order_type == OrderType.MARKET else 1 <= price <= price_max
    check(not good, Code.TRADE_BAD_PRICES, At.PRICE)
    good = 1 <= limit <= price_max if order_type == OrderType.STOP_LIMIT else limit == 0
    check(not good, Code.TRADE_BAD_PRICES, At.LIMIT_PRICE)
    _stops(record, price_max)


def _stops(record: InputRecord, price_max: int) -> None:
    check(not 0 <= field(record, "sl") <= price_max, Code.TRADE_INVALID_SL_TP, At.SL)
    check(not 0 <= field(record, "tp") <= price_max, Code.TRADE_INVALID_SL_TP, At.TP)


def _trailing(record: InputRecord, price_max: int) -> None:
    both = (field(record, "trailing"), field(record, "trailing_step"))
    check(not all(0 <= x <= price_max for x in both), Code.ERR_PARAMS, At.TRAILING)


TIFS = {
    OrderType.MARKET: {Tif.GTC, Tif.IOC, Tif.FOK},
    OrderType.LIMIT: set(Tif),
    OrderType.STOP: {Tif.GTC, Tif.DAY, Tif.GTD},
    OrderType.STOP_LIMIT: {Tif.GTC, Tif.DAY, Tif.GTD},
}


def _place(state: State, record: InputRecord) -> None:
    i = state.instruments[field(record, "instrument")]
    kind, tif = OrderType(field(record, "type_")), Tif(field(record, "tif"))
    volume = field(record, "volume")
    on_step = (volume - i.volume_min) % i.volume_step == 0
    good = i.volume_min <= volume <= i.volume_max and on_step
    check(not good, Code.TRADE_BAD_VOLUME, At.VOLUME)
    _prices(record, kind, i.price_max)
    _trailing(record, i.price_max)
    check(field(record, "max_deviation") < -1, Code.ERR_PARAMS, At.MAX_DEVIATION)
    check(tif not in TIFS[kind], Code.ERR_PARAMS, At.TIF)
    _expire(record, tif)
    oco = field(record, "oco") != 0 and kind == OrderType.MARKET
    check(oco, Code.ERR_PARAMS, At.OCO)
    leverage, isolated = field(record, "leverage"), field(record, "flags") & 1
    good = 1 <= leverage <= i.leverage_max if isolated else leverage == 0
    check(not good, Code.ERR_PARAMS, At.LEVERAGE)
    if field(record, "position"):
        _closes(state, record, kind)
    terms = field(record, "terms")
    good = not terms & 1 or 0 <= field(record, "commission_value") <= 10**18
    check(not good, Code.ERR_PARAMS, At.TERMS)
    good = not terms & 2 or 0 <= field(record, "markup") <= 10**9
    check(not good, Code.ERR_PARAMS, At.TERMS)
    kn, kd = i.factor
    check(i.price_max * volume * kn > 10**34 * kd, Code.OVERFLOW, At.VOLUME)


def _expire(record: InputRecord, tif: int) -> None:
    expire = field(record, "expire")
    good = expire > record.ts if tif == Tif.GTD else expire == 0
    check(not good, Code.TRADE_EXPIRATION_DENIED, At.EXPIRE)


def _closes(state: State, record: InputRecord, kind: int) -> None:
    p = state.positions.get(field(record, "position"))
    if p is None or (p.account, p.instrument) != (record.account, field(record, "instrument")):
        raise RefusedError(Code.TRADE_INCORRECT_ORDER, At.POSITION)
    check(kind != OrderType.MARKET, Code.TRADE_INCORRECT_CMD, At.TYPE)
    check(Side(field(record, "side")) == p.side, Code.TRADE_INCORRECT_CMD, At.SIDE)
    check(field(record, "volume") > p.volume, Code.TRADE_BAD_VOLUME, At.VOLUME)


def _modify(state: State, record: InputRecord) -> None:
    order = state.orders[field(record, "order")]
    check(order.routed, Code.TRADE_INCORRECT_STATE, At.ORDER)
    _prices(record, order.type, state.instruments[order.instrument].price_max)
    _expire(record, order.tif)


def _close_position(state: State, record: InputRecord) -> None:
    p = state.positions[field(record, "position")]
    i, volume = state.instruments[p.instrument], field(record, "volume")
    whole = volume in (0, p.volume)
    good = 0 < volume < p.volume and volume % i.volume_step == 0
    good = good and p.volume - volume >= i.volume_min
    check(not (whole or good), Code.TRADE_BAD_VOLUME, At.VOLUME)
    check(field(record, "price") < 0, Code.TRADE_BAD_PRICES, At.PRICE)
    check(field(record, "max_deviation") < -1, Code.ERR_PARAMS, At.MAX_DEVIATION)


def _close_by(state: State, record: InputRecord) -> None:
    a = state.positions[field(record, "position")]
    b = state.positions[field(record, "position_by")]
    netting = state.group_of(state.accounts[record.account]).mode == "netting"
    wrong = a.instrument != b.instrument or a.side == b.side or netting
    check(wrong or a.isolated or b.isolated, Code.TRADE_INCORRECT_CMD, At.POSITION_BY)


def _reverse(state: State, record: InputRecord) -> None:
    p = state.positions[field(record, "position")]
    at_venue = routed(state, state.accounts[p.account], state.instruments[p.instrument])
    check(p.isolated or at_venue, Code.TRADE_INCORRECT_CMD, At.POSITION)


def _modify_position(state: State, record: InputRecord) -> None:
    p = state.positions[field(record, "position")]
    price_max = state.instruments[p.instrument].price_max
    _stops(record, price_max)
    _trailing(record, price_max)


def _trading_state(state: State, record: InputRecord) -> None:
    scope, target = field(record, "scope"), field(record, "target")
    if scope == Scope.SHARD:
        check(target != 0, Code.ERR_PARAMS, At.TARGET)
    elif scope == Scope.GROUP:
        check(target >= len(state.groups), Code.GROUP_NOT_FOUND, At.TARGET)
    elif scope == Scope.ACCOUNT:
        check(target not in state.accounts, Code.USER_NOT_FOUND, At.TARGET)
        closed = state.accounts[target].flags & CLOSED
        check(closed != 0, Code.ACCOUNT_CLOSED, At.TARGET)
    else:
        check(target >= len(state.instruments), Code.SYMBOL_NOT_FOUND, At.TARGET)


def _rollover(state: State, record: InputRecord) -> None:
    check(field(record, "day") == 0, Code.ERR_PARAMS, At.DAY)


def _funding(state: State, record: InputRecord) -> None:
    i = state.instruments[field(record, "instrument")]
    check(abs(field(record, "rate")) > 10**8, Code.ERR_PARAMS, At.RATE)
    check(i.calc != "perpetual", Code.TRADE_INCORRECT_CMD, At.INSTRUMENT)
    check(i.bid == 0, Code.TRADE_OFFQUOTES, At.INSTRUMENT)


def _report(state: State, record: InputRecord) -> None:
    if field(record, "kind") != ReportKind.FILL:
        return
    order = state.routed[field(record, "order")]
    price_max = state.instruments[order.instrument].price_max
    good = 0 < field(record, "volume") <= 10**15
    check(not good, Code.TRADE_BAD_VOLUME, At.VOLUME)
    good = 1 <= field(record, "price") <= price_max
    check(not good, Code.TRADE_BAD_PRICES, At.PRICE)
