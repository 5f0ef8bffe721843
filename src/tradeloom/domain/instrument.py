"""Instruments: everything the engine must know about a symbol before it is quoted."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

import msgspec

from tradeloom.domain import hours, numbers
from tradeloom.domain.enums import CalcMode, Execution, ReturnCode, SwapMode, TradeMode
from tradeloom.domain.errors import BadDefinition
from tradeloom.domain.hours import Holiday, Session

_PRICE_MAX: Final = 10**15
_FOREX: Final = (CalcMode.FOREX, CalcMode.FOREX_NO_LEVERAGE)
_ONE: Final = Decimal(1)
_ZERO: Final = Decimal(0)


class MarginRates(msgspec.Struct, frozen=True):
    """Multipliers of the margin per side and order type; pending orders reserve none by default."""

    buy: Decimal = _ONE
    sell: Decimal = _ONE
    buy_limit: Decimal = _ZERO
    sell_limit: Decimal = _ZERO
    buy_stop: Decimal = _ZERO
    sell_stop: Decimal = _ZERO
    buy_stop_limit: Decimal = _ZERO
    sell_stop_limit: Decimal = _ZERO


class Tier(msgspec.Struct, frozen=True):
    """From a leg margin of `floor` (money of the account) on, `rate` of what is above counts."""

    floor: Decimal
    rate: Decimal


class Swap(msgspec.Struct, frozen=True):
    """Overnight charge per lot: `long` and `short` in the unit of `mode` (semantics, section 10).

    `days`: factors from Monday, the triple day has 3. `year_days`: days of an interest year.
    """

    mode: SwapMode = SwapMode.DISABLED
    long: Decimal = _ZERO
    short: Decimal = _ZERO
    days: tuple[int, int, int, int, int, int, int] = (1, 1, 3, 1, 1, 0, 0)
    year_days: int = 360


class Instrument(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="instrument"):
    """A tradable symbol in natural units.

    Prices, `tick_size` and `price_max` are prices with at most `digits` decimals; `contract_size`
    is units of the base per lot; volumes are lots; `tick_value`, `initial_margin` and
    `maintenance_margin` are money per lot; `collar` and `hedged_rate` are ratios (0.05 is 5 %);
    `stops_level` and slippages are points (1 point = the last digit of a price). `price_max` of
    None takes the engine's bound of 10^15 points; `converts` of None is true for forex modes.
    """

    symbol: str
    digits: int
    base: str
    profit: str
    margin: str
    calc: CalcMode = CalcMode.FOREX
    contract_size: Decimal = Decimal(100_000)
    tick_size: Decimal | None = None
    tick_value: Decimal = _ZERO
    initial_margin: Decimal = _ZERO
    maintenance_margin: Decimal = _ZERO
    margin_rates: MarginRates = MarginRates()
    hedged_rate: Decimal = _ONE
    tiers: tuple[Tier, ...] = ()
    volume_min: Decimal = Decimal("0.01")
    volume_max: Decimal = Decimal(1000)
    volume_step: Decimal = Decimal("0.01")
    stops_level: int = 0
    swap: Swap = Swap()
    sessions: tuple[Session, ...] = ()
    holidays: tuple[Holiday, ...] = ()
    day_end: str = "00:00"
    trade_mode: TradeMode = TradeMode.FULL
    execution: Execution = Execution.INTERNAL
    collar: Decimal = _ZERO
    quote_age_max_ms: int = 0
    slippage_points: int = 0
    slippage_points_per_lot: int = 0
    liquidity_max: Decimal = _ZERO
    price_max: Decimal | None = None
    leverage_max: int = 100
    converts: bool | None = None

    def to_core(self) -> dict[str, Any]:
        """The integer JSON object of docs/engine/semantics.md, section 3.

        Raises `BadNumber` for a value that does not fit its digits and `BadDefinition` for digits
        or trading hours that make no sense. All other checks are the core's.
        """
        if not 0 <= self.digits <= numbers.PRICE_DIGITS_MAX:
            raise BadDefinition(
                ReturnCode.ERR_PARAMS, "digits", f"digits of {self.symbol} must be 0 to 12"
            )
        rates = (
            numbers.ppm(getattr(self.margin_rates, name), "margin_rate")
            for name in MarginRates.__struct_fields__
        )
        return {
            "symbol": self.symbol,
            "digits": self.digits,
            "calc": self.calc.value,
            "base": self.base,
            "profit": self.profit,
            "margin": self.margin,
            "contract_size": numbers.mantissa(self.contract_size, 8, "contract_size"),
            "tick_size": self._price(self.tick_size, "tick_size", 1),
            "tick_value": numbers.mantissa(self.tick_value, 8, "tick_value"),
            "initial_margin": numbers.mantissa(self.initial_margin, 8, "body"),
            "maintenance_margin": numbers.mantissa(self.maintenance_margin, 8, "body"),
            "margin_rate_ppm": list(rates),
            "hedged_ppm": numbers.ppm(self.hedged_rate, "body"),
            "tiers": [
                [numbers.mantissa(tier.floor, 8, "tiers"), numbers.ppm(tier.rate, "tiers")]
                for tier in self.tiers
            ],
            "volume_min": numbers.volume(self.volume_min),
            "volume_max": numbers.volume(self.volume_max),
            "volume_step": numbers.volume(self.volume_step),
            "stops_level": self.stops_level,
            "swap_mode": self.swap.mode.value,
            "swap_long": numbers.mantissa(self.swap.long, 8, "body"),
            "swap_short": numbers.mantissa(self.swap.short, 8, "body"),
            "swap_days": list(self.swap.days),
            "swap_year_days": self.swap.year_days,
            "sessions": hours.week_ranges(self.sessions),
            "holidays": hours.holiday_ranges(self.holidays),
            "day_end_s": hours.clock_seconds(self.day_end),
            "trade_mode": self.trade_mode.value,
            "execution": self.execution.value,
            "collar_ppm": numbers.ppm(self.collar, "body"),
            "quote_age_max_ms": self.quote_age_max_ms,
            "slippage_points": self.slippage_points,
            "slippage_points_per_lot": self.slippage_points_per_lot,
            "liquidity_max": numbers.volume(self.liquidity_max),
            "price_max": self._price(self.price_max, "price_max", _PRICE_MAX),
            "leverage_max": self.leverage_max,
            "converts": self.calc in _FOREX if self.converts is None else self.converts,
        }

    @classmethod
    def from_core(cls, body: dict[str, Any]) -> Instrument:
        """The instrument behind the core's JSON object."""
        digits = body["digits"]
        calc = CalcMode(body["calc"])
        tick_size, price_max = body["tick_size"], body["price_max"]
        rates = (numbers.ratio(rate) for rate in body["margin_rate_ppm"])
        return cls(
            symbol=body["symbol"],
            digits=digits,
            base=body["base"],
            profit=body["profit"],
            margin=body["margin"],
            calc=calc,
            contract_size=numbers.decimal(body["contract_size"], 8, keep=0),
            tick_size=None if tick_size == 1 else numbers.decimal(tick_size, digits),
            tick_value=numbers.decimal(body["tick_value"], 8, keep=0),
            initial_margin=numbers.decimal(body["initial_margin"], 8, keep=0),
            maintenance_margin=numbers.decimal(body["maintenance_margin"], 8, keep=0),
            margin_rates=MarginRates(*rates),
            hedged_rate=numbers.ratio(body["hedged_ppm"]),
            tiers=tuple(
                Tier(numbers.decimal(floor, 8, keep=0), numbers.ratio(rate))
                for floor, rate in body["tiers"]
            ),
            volume_min=numbers.lots(body["volume_min"]),
            volume_max=numbers.lots(body["volume_max"]),
            volume_step=numbers.lots(body["volume_step"]),
            stops_level=body["stops_level"],
            swap=Swap(
                SwapMode(body["swap_mode"]),
                numbers.decimal(body["swap_long"], 8, keep=0),
                numbers.decimal(body["swap_short"], 8, keep=0),
                tuple(body["swap_days"]),
                body["swap_year_days"],
            ),
            sessions=hours.week_sessions(body["sessions"]),
            holidays=hours.holidays_from(body["holidays"]),
            day_end=hours.clock_text(body["day_end_s"]),
            trade_mode=TradeMode(body["trade_mode"]),
            execution=Execution(body["execution"]),
            collar=numbers.ratio(body["collar_ppm"]),
            quote_age_max_ms=body["quote_age_max_ms"],
            slippage_points=body["slippage_points"],
            slippage_points_per_lot=body["slippage_points_per_lot"],
            liquidity_max=numbers.lots(body["liquidity_max"]),
            price_max=None if price_max == _PRICE_MAX else numbers.decimal(price_max, digits),
            leverage_max=body["leverage_max"],
            converts=None if body["converts"] == (calc in _FOREX) else body["converts"],
        )

    def _price(self, value: Decimal | None, field: str, default: int) -> int:
        return default if value is None else numbers.mantissa(value, self.digits, field)
