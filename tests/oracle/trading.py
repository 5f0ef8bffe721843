"""The client commands on orders and positions (sections 5 to 7): place, modify, close, reverse."""

from __future__ import annotations

from tests.oracle.arithmetic import next_day_end
from tests.oracle.codes import (
    At,
    Code,
    OrderState,
    OrderType,
    PositionState,
    Reason,
    RefusedError,
    Side,
    Tif,
)
from tests.oracle.execution import close_now, fill
from tests.oracle.gate import (
    Levels,
    account_gate,
    collar,
    count_rate,
    deviation,
    market_gate,
    mixing,
    mode_gate,
    not_closing,
    order_limits,
    pending_sanity,
    reduces_netting,
    stop_levels,
)
from tests.oracle.margin import check_money, pending_margin, plan_fill
from tests.oracle.orders import (
    after_fill,
    cancel_others,
    deviation_limit,
    end,
    intent_limit,
    rests,
    route,
    set_margin,
    submit,
)
from tests.oracle.positions import emit_position, trail
from tests.oracle.quote import (
    client_prices,
    closing_price,
    liquidity,
    routed,
    slipped,
)
from tests.oracle.state import ALL_INSTRUMENTS, Account, Order, State
from tests.oracle.wire import InputRecord

Answer = tuple[Code, int]


def field(record: InputRecord, name: str) -> int:
    """A number of the body."""
    value = record.fields[name]
    assert isinstance(value, int)
    return value


def new_order(state: State, record: InputRecord) -> Order:
    """The order of a PLACE_ORDER with its terms resolved, not yet numbered."""

    def get(name: str) -> int:
        return field(record, name)

    account = state.accounts[record.account]
    instrument = state.instruments[get("instrument")]
    group = state.group_of(account)
    override = group.overrides.get(instrument.index)
    markup, commission = group.markup_points, group.commission
    if override is not None:
        markup = markup if override.markup_points is None else override.markup_points
        commission = commission if override.commission is None else override.commission
    aim = state.positions.get(get("position"))
    if aim is not None:
        markup, commission = aim.markup, aim.commission
    terms = get("terms")
    if terms & 1:
        commission = (get("commission_mode"), get("commission_value"), get("commission_when"))
    if terms & 2:
        markup = get("markup")
    expire = get("expire")
    if get("tif") == Tif.DAY:
        expire = next_day_end(state.time, instrument.day_end_s)
    return Order(
        id=0,
        account=account.id,
        instrument=instrument.index,
        side=get("side"),
        type=get("type_"),
        tif=get("tif"),
        volume=get("volume"),
        price=get("price"),
        limit_price=get("limit_price"),
        sl=get("sl"),
        tp=get("tp"),
        trailing=get("trailing"),
        trailing_step=get("trailing_step"),
        expire=expire,
        oco=get("oco"),
        position=get("position"),
        leverage=get("leverage"),
        markup=markup,
        commission=commission,
        swap_rates=(get("swap_long"), get("swap_short")) if terms & 4 else None,
        own_terms=terms,
        tag=get("tag"),
        reason=Reason.CLIENT,
    )


def place_order(state: State, record: InputRecord) -> Answer:
    """PLACE_ORDER."""
    account = state.accounts[record.account]
    count_rate(state, account)
    order = new_order(state, record)
    instrument = state.instruments[order.instrument]
    reduces = order.position != 0 or reduces_netting(state, order)
    account_gate(state, account, instrument, reduces=reduces)
    market_gate(state, instrument)
    mode_gate(instrument, order.side, reduces=reduces)
    bound = (field(record, "price"), field(record, "max_deviation"))
    if order.position:
        return _place_close(state, order, bound)
    mixing(state, order)
    if order.type == OrderType.MARKET:
        return _place_market(state, order, bound, reduces=reduces)
    return _place_pending(state, order, reduces=reduces)


def client_fill_price(state: State, order: Order, *, slip: bool) -> int:
    """What the order would fill at now."""
    instrument = state.instruments[order.instrument]
    bid, ask = client_prices(instrument, order.markup)
    price = ask if order.side == Side.BUY else bid
    return slipped(instrument, order.side, price, order.volume) if slip else price


def _place_close(state: State, order: Order, bound: tuple[int, int]) -> Answer:
    account, instrument = state.accounts[order.account], state.instruments[order.instrument]
    p = state.positions[order.position]
    not_closing(p)
    if routed(state, account, instrument):
        order.id = state.next_id()
        submit(state, order, deviation_limit(order.side, *bound), 0)
        return Code.TRADE_ACCEPTED, order.id
    price = client_fill_price(state, order, slip=True)
    deviation(order.side, price, *bound)
    close_now(state, order, price)
    return Code.OK, order.id


def _place_market(state: State, order: Order, bound: tuple[int, int], *, reduces: bool) -> Answer:
    account, instrument = state.accounts[order.account], state.instruments[order.instrument]
    at_venue = routed(state, account, instrument)
    price = client_fill_price(state, order, slip=not at_venue)
    bid, ask = client_prices(instrument, order.markup)
    closing = bid if order.side == Side.BUY else ask
    stop_levels(Levels(order.side, closing, instrument.stops_level), order.sl, order.tp)
    collar(instrument, price)
    if not reduces:
        order_limits(state, order, price, rests=False)
    volume = order.volume
    if not at_venue:
        volume = liquidity(instrument, volume)
        if volume == 0 or (order.tif == Tif.FOK and volume < order.volume):
            raise RefusedError(Code.NOT_FILLED, At.TIF)
        deviation(order.side, price, *bound)
    reserve = check_money(state, order, plan_fill(state, order, volume), price)
    order.id = state.next_id()
    if at_venue:
        submit(state, order, deviation_limit(order.side, *bound), reserve)
        return Code.TRADE_ACCEPTED, order.id
    fill(state, order, volume, price)
    after_fill(state, order, killed=True)
    return Code.OK, order.id


def _place_pending(state: State, order: Order, *, reduces: bool) -> Answer:
    account, instrument = state.accounts[order.account], state.instruments[order.instrument]
    fillable = pending_sanity(state, order)
    at_venue = routed(state, account, instrument)
    volume = 0
    if fillable:
        volume = order.volume if at_venue else liquidity(instrument, order.volume)
    stays = rests(order) and volume < order.volume
    if not reduces:
        order_limits(state, order, order.entry_price, rests=stays)
    cut = volume < order.volume
    if not rests(order) and (volume == 0 or (order.tif == Tif.FOK and cut)):
        raise RefusedError(Code.NOT_FILLED, At.TIF)
    extra = pending_margin(state, order, order.volume - volume) if stays else 0
    price = client_fill_price(state, order, slip=False)
    reserve = check_money(state, order, plan_fill(state, order, volume), price, extra=extra)
    order.id = state.next_id()
    if at_venue and fillable:
        submit(state, order, intent_limit(order), reserve)
        cancel_others(state, order)
        return Code.TRADE_ACCEPTED, order.id
    if volume:
        fill(state, order, volume, price)
    if stays:
        set_margin(state, order, extra)
        state.orders[order.id] = order
    if volume:
        after_fill(state, order, killed=not stays)
    else:
        state.emit_order(order, Reason.CLIENT)
    return Code.OK, order.id


# ---- modify and cancel ---------------------------------------------------------------------------


def _modify_gate(state: State, account: Account, index: int) -> None:
    instrument = state.instruments[index]
    account_gate(state, account, instrument, reduces=True)
    if instrument.bid == 0:
        raise RefusedError(Code.TRADE_OFFQUOTES, At.INSTRUMENT)


def modify_order(state: State, record: InputRecord) -> Answer:
    """MODIFY_ORDER."""
    account = state.accounts[record.account]
    order = state.orders.get(field(record, "order"))
    if order is None:
        raise RefusedError(Code.TRADE_INCORRECT_ORDER, At.ORDER)
    count_rate(state, account)
    _modify_gate(state, account, order.instrument)
    names = ("price", "limit_price", "sl", "tp")
    kept = {name: getattr(order, name) for name in (*names, "expire")}
    for name in names:
        setattr(order, name, field(record, name))
    if order.tif != Tif.DAY:
        order.expire = field(record, "expire")
    try:
        pending_sanity(state, order)
        margin = pending_margin(state, order, order.rest)
        check_money(state, order, plan_fill(state, order, 0), 0, extra=margin - order.margin)
    except RefusedError:
        for name, value in kept.items():
            setattr(order, name, value)
        raise
    set_margin(state, order, margin)
    state.emit_order(order, Reason.CLIENT, state=OrderState.MODIFIED)
    return Code.OK, order.id


def cancel_order(state: State, record: InputRecord) -> Answer:
    """CANCEL_ORDER."""
    order = state.orders.get(field(record, "order"))
    if order is None:
        raise RefusedError(Code.TRADE_INCORRECT_ORDER, At.ORDER)
    if not order.routed:
        end(state, order, OrderState.CANCELLED, Reason.CLIENT)
        return Code.OK, order.id
    if order.state == OrderState.CANCEL_PENDING:
        raise RefusedError(Code.TRADE_INCORRECT_STATE, At.ORDER)
    order.state = OrderState.CANCEL_PENDING
    state.emit_order(order, Reason.CLIENT)
    route(state, order, 1, None, Reason.CLIENT)
    return Code.TRADE_ACCEPTED, order.id


def cancel_all(state: State, record: InputRecord) -> Answer:
    """CANCEL_ALL."""
    wanted = field(record, "instrument")
    working = sorted(state.working(record.account), key=lambda o: o.id)
    matching = [o for o in working if wanted in (ALL_INSTRUMENTS, o.instrument)]
    for order in matching:
        end(state, order, OrderState.CANCELLED, Reason.CLIENT)
    return Code.OK, len(matching)


def modify_position(state: State, record: InputRecord) -> Answer:
    """MODIFY_POSITION."""
    p = state.positions[field(record, "position")]
    _modify_gate(state, state.accounts[record.account], p.instrument)
    instrument = state.instruments[p.instrument]
    sl, tp = field(record, "sl"), field(record, "tp")
    stop_levels(Levels(p.side, closing_price(instrument, p), instrument.stops_level), sl, tp)
    p.sl, p.tp = sl, tp
    p.trailing, p.trailing_step = field(record, "trailing"), field(record, "trailing_step")
    trail(state, p)
    emit_position(state, p, PositionState.CHANGED, Reason.CLIENT)
    return Code.OK, p.id
