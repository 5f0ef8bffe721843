"""Reads currencies, instruments and groups from JSON and checks them (semantics section 3)."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from typing import Any

from tests.oracle.codes import At, Code, RefusedError
from tests.oracle.config import (
    CALCS,
    COMMISSIONS,
    EXECUTIONS,
    I64,
    LIMITS,
    POINTS_MAX,
    SWAPS,
    TRADE_MODES,
    WHENS,
    Commission,
    Currency,
    Group,
    Instrument,
    Override,
)


def bad(at: At, code: Code = Code.ERR_PARAMS) -> RefusedError:
    """A refusal of a definition."""
    return RefusedError(code, at)


class Reader:
    """Takes typed values out of a JSON object and refuses what is left over."""

    def __init__(self, values: Any) -> None:
        if not isinstance(values, dict):
            raise bad(At.BODY)
        self.values: dict[str, Any] = dict(values)

    def take(self, key: str, default: Any = ...) -> Any:
        if key in self.values:
            return self.values.pop(key)
        if default is ...:
            raise bad(At.BODY)
        return default

    def number(self, key: str, default: Any = ...) -> int:
        return number(self.take(key, default))

    def text(self, key: str) -> str:
        value = self.take(key)
        if not isinstance(value, str):
            raise bad(At.BODY)
        return value

    def flag(self, key: str, default: bool) -> bool:
        value = self.take(key, default)
        if not isinstance(value, bool):
            raise bad(At.BODY)
        return value

    def one_of(self, key: str, names: tuple[str, ...], default: Any = ...) -> str:
        value = self.take(key, default)
        if value not in names or not isinstance(value, str):
            raise bad(At.BODY)
        return value

    def numbers(self, key: str, default: list[int]) -> list[int]:
        value = self.take(key, default)
        if not isinstance(value, list):
            raise bad(At.BODY)
        return [number(item) for item in value]

    def pairs(self, key: str) -> list[tuple[int, int]]:
        value = self.take(key, [])
        if not isinstance(value, list):
            raise bad(At.BODY)
        found = []
        for item in value:
            if not isinstance(item, list) or len(item) != 2:
                raise bad(At.BODY)
            found.append((number(item[0]), number(item[1])))
        return found

    def done(self) -> None:
        if self.values:
            raise bad(At.BODY)


def number(value: Any) -> int:
    """A JSON integer within i64."""
    if isinstance(value, bool) or not isinstance(value, int) or not -I64 <= value < I64:
        raise bad(At.BODY)
    return value


def parse(text: bytes) -> Reader:
    """The JSON object of a definition."""

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len({key for key, _ in pairs}) != len(pairs):
            raise bad(At.BODY)
        return dict(pairs)

    try:
        return Reader(json.loads(text.decode("utf-8"), object_pairs_hook=unique))
    except (ValueError, RecursionError):
        raise bad(At.BODY) from None


def currency_of(text: bytes) -> Currency:
    """A currency from its JSON."""
    reader = parse(text)
    code, digits = reader.text("code"), reader.number("digits")
    reader.done()
    if not re.fullmatch(r"[A-Z0-9]{1,8}", code):
        raise bad(At.CURRENCY)
    if not 0 <= digits <= 8:
        raise bad(At.DIGITS)
    return Currency(code, digits)


def instrument_of(text: bytes, currencies: list[Currency]) -> Instrument:
    """An instrument from its JSON."""
    r = parse(text)
    symbol, digits = r.text("symbol"), r.number("digits")
    calc = r.one_of("calc", CALCS)
    codes = [r.text("base"), r.text("profit"), r.text("margin")]
    known = [currency.code for currency in currencies]
    made = Instrument(
        symbol=symbol,
        digits=digits,
        calc=calc,
        base=known.index(codes[0]) if codes[0] in known else -1,
        profit=known.index(codes[1]) if codes[1] in known else -1,
        margin=known.index(codes[2]) if codes[2] in known else -1,
        contract_size=r.number("contract_size"),
        tick_size=r.number("tick_size", 1),
        tick_value=r.number("tick_value", 0),
        initial_margin=r.number("initial_margin", 0),
        maintenance_margin=r.number("maintenance_margin", 0),
        margin_rate_ppm=r.numbers("margin_rate_ppm", [10**6, 10**6, 0, 0, 0, 0, 0, 0]),
        hedged_ppm=r.number("hedged_ppm", 10**6),
        tiers=r.pairs("tiers"),
        volume_min=r.number("volume_min", 10**6),
        volume_max=r.number("volume_max", 10**11),
        volume_step=r.number("volume_step", 10**6),
        stops_level=r.number("stops_level", 0),
        swap_mode=r.one_of("swap_mode", SWAPS, "disabled"),
        swap_long=r.number("swap_long", 0),
        swap_short=r.number("swap_short", 0),
        swap_days=r.numbers("swap_days", [1, 1, 3, 1, 1, 0, 0]),
        swap_year_days=r.number("swap_year_days", 360),
        sessions=r.pairs("sessions"),
        holidays=r.pairs("holidays"),
        day_end_s=r.number("day_end_s", 0),
        trade_mode=r.one_of("trade_mode", TRADE_MODES, "full"),
        execution=r.one_of("execution", EXECUTIONS, "internal"),
        collar_ppm=r.number("collar_ppm", 0),
        quote_age_max_ms=r.number("quote_age_max_ms", 0),
        slippage_points=r.number("slippage_points", 0),
        slippage_points_per_lot=r.number("slippage_points_per_lot", 0),
        liquidity_max=r.number("liquidity_max", 0),
        price_max=r.number("price_max", 10**15),
        leverage_max=r.number("leverage_max", 100),
        converts=r.flag("converts", calc.startswith("forex")),
    )
    r.done()
    _check_instrument(made)
    return made


def _check_instrument(i: Instrument) -> None:
    if not re.fullmatch(r"[A-Za-z0-9._#/-]{1,32}", i.symbol):
        raise bad(At.SYMBOL)
    if not 0 <= i.digits <= 12:
        raise bad(At.DIGITS)
    if min(i.base, i.profit, i.margin) < 0:
        raise bad(At.CURRENCY, Code.CURRENCY_NOT_FOUND)
    if i.contract_size <= 0:
        raise bad(At.CONTRACT_SIZE)
    if i.tick_size <= 0:
        raise bad(At.TICK_SIZE)
    if i.tick_value < 0 or (i.tick_value == 0 and i.calc in ("futures", "cfd_index")):
        raise bad(At.TICK_VALUE)
    if not (0 < i.volume_min <= i.volume_max <= 10**15 and i.volume_step > 0):
        raise bad(At.VOLUME)
    rates = i.margin_rate_ppm
    if len(rates) != 8 or not all(0 <= rate <= 10**9 for rate in rates):
        raise bad(At.MARGIN_RATE)
    floors = [floor for floor, _ in i.tiers]
    ascending = all(a < b for a, b in pairwise(floors))
    good_rates = all(0 <= rate <= 10**9 for _, rate in i.tiers)
    if i.tiers and not (floors[0] == 0 and ascending and good_rates):
        raise bad(At.TIERS)
    last = 0
    for start, end in i.sessions:
        if not last <= start < end <= 604_800:
            raise bad(At.SESSIONS)
        last = end
    if not all(0 <= start < end for start, end in i.holidays):
        raise bad(At.SESSIONS)
    if not 1 <= i.price_max <= 10**15:
        raise bad(At.PRICE_MAX)
    if len(i.swap_days) != 7 or not all(0 <= factor <= 1000 for factor in i.swap_days):
        raise bad(At.SWAP_DAYS)
    points = (i.slippage_points, i.slippage_points_per_lot, i.stops_level)
    others = (
        i.initial_margin,
        i.maintenance_margin,
        i.hedged_ppm,
        i.collar_ppm,
        i.quote_age_max_ms,
        i.liquidity_max,
        i.leverage_max,
        *points,
    )
    if min(others) < 0 or max(points) > POINTS_MAX or i.swap_year_days < 1:
        raise bad(At.BODY)
    if not 0 <= i.day_end_s < 86_400:
        raise bad(At.BODY)
    kn, kd = i.factor
    if i.price_max * 10**15 * kn > 10**36 * kd:
        raise bad(At.CONTRACT_SIZE, Code.OVERFLOW)


def _commission(value: Any) -> Commission:
    r = Reader(value)
    mode = COMMISSIONS.index(r.one_of("mode", COMMISSIONS, "none"))
    amount = r.number("value", 0)
    when = WHENS.index(r.one_of("when", WHENS, "both"))
    r.done()
    return mode, amount, when


def _good_commission(commission: Commission | None) -> bool:
    return commission is None or 0 <= commission[1] <= 10**18


def _overrides(value: Any) -> list[tuple[str, Override]]:
    if not isinstance(value, list):
        raise bad(At.BODY)
    found = []
    for item in value:
        r = Reader(item)
        symbol = r.text("symbol")
        markup = r.take("markup_points", None)
        commission = r.take("commission", None)
        execution = r.take("execution", None)
        leverage = r.take("leverage", None)
        r.done()
        if execution is not None and execution not in EXECUTIONS:
            raise bad(At.BODY)
        override = Override(
            None if markup is None else number(markup),
            None if commission is None else _commission(commission),
            execution,
            None if leverage is None else number(leverage),
        )
        found.append((symbol, override))
    return found


def group_of(text: bytes, currencies: list[Currency], instruments: list[Instrument]) -> Group:
    """A group from its JSON."""
    r = parse(text)
    name, code = r.text("name"), r.text("currency")
    known = [currency.code for currency in currencies]
    leverage = r.number("leverage")
    mode = r.one_of("mode", ("hedging", "netting"))
    margin_call, stop_out = r.number("margin_call", 10_000), r.number("stop_out", 5_000)
    unit = r.one_of("level_unit", ("percent", "money"), "percent")
    commission = _commission(r.take("commission", {}))
    markup = r.number("markup_points", 0)
    overrides = _overrides(r.take("overrides", []))
    protection = r.flag("negative_balance_protection", False)
    hedged = r.one_of("hedged_margin", ("net", "larger_leg"), "net")
    stop_out_hedged = r.flag("stop_out_hedged", False)
    conversion = r.one_of("margin_conversion", ("side", "mid"), "side")
    isolated = r.number("isolated_stop_ppm", 50_000)
    execution = r.take("execution", None)
    if execution is not None and execution not in EXECUTIONS:
        raise bad(At.BODY)
    inner = Reader(r.take("limits", {}))
    limits = {key: inner.number(key, 0) for key in LIMITS}
    inner.done()
    r.done()
    if not re.fullmatch(r"[A-Za-z0-9._#/\\-]{1,64}", name):
        raise bad(At.NAME)
    if code not in known:
        raise bad(At.CURRENCY, Code.CURRENCY_NOT_FOUND)
    if not 1 <= leverage <= 10_000:
        raise bad(At.LEVERAGE)
    if margin_call < stop_out:
        raise bad(At.MARGIN_CALL)
    if not _good_commission(commission):
        raise bad(At.COMMISSION)
    if not 0 <= markup <= POINTS_MAX:
        raise bad(At.BODY)
    found = _check_overrides(overrides, [instrument.symbol for instrument in instruments])
    if min(limits.values()) < 0:
        raise bad(At.LIMITS)
    if not 0 <= isolated <= 10**9:
        raise bad(At.BODY)
    return Group(
        name,
        known.index(code),
        leverage,
        mode,
        margin_call,
        stop_out,
        unit,
        commission,
        markup,
        found,
        protection,
        hedged,
        stop_out_hedged,
        conversion,
        isolated,
        execution,
        limits,
    )


def _check_overrides(
    overrides: list[tuple[str, Override]], symbols: list[str]
) -> dict[int, Override]:
    found: dict[int, Override] = {}
    for symbol, override in overrides:
        if symbol not in symbols:
            raise bad(At.OVERRIDES, Code.SYMBOL_NOT_FOUND)
        index = symbols.index(symbol)
        markup, leverage = override.markup_points, override.leverage
        good = (
            index not in found
            and (markup is None or 0 <= markup <= POINTS_MAX)
            and (leverage is None or 1 <= leverage <= 10_000)
            and _good_commission(override.commission)
        )
        if not good:
            raise bad(At.OVERRIDES)
        found[index] = override
    return found
