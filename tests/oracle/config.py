"""Currencies, instruments and groups: their settings and states (semantics section 3)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

I64 = 2**63
CALCS = (
    "forex",
    "forex_no_leverage",
    "cfd",
    "cfd_leverage",
    "cfd_index",
    "futures",
    "stocks",
    "perpetual",
)
SWAPS = (
    "disabled",
    "points",
    "base",
    "margin",
    "deposit",
    "profit",
    "interest_current",
    "interest_open",
    "reopen_close",
    "reopen_bid",
)
TRADE_MODES = ("full", "long_only", "short_only", "close_only", "disabled")
EXECUTIONS = ("internal", "routed")
COMMISSIONS = ("none", "per_lot", "turnover", "per_deal")
WHENS = ("both", "entry", "exit")
LIMITS = (
    "order_volume_max",
    "order_value_max",
    "position_volume_max",
    "orders_max",
    "positions_max",
    "orders_per_s",
)
POINTS_MAX = 10**9
Commission = tuple[int, int, int]  # mode, value, when


@dataclass
class Currency:
    """A currency and its minor unit."""

    code: str
    digits: int


@dataclass
class Instrument:
    """Settings of an instrument, its quote and its states."""

    symbol: str
    digits: int
    calc: str
    base: int
    profit: int
    margin: int
    contract_size: int
    tick_size: int
    tick_value: int
    initial_margin: int
    maintenance_margin: int
    margin_rate_ppm: list[int]
    hedged_ppm: int
    tiers: list[tuple[int, int]]
    volume_min: int
    volume_max: int
    volume_step: int
    stops_level: int
    swap_mode: str
    swap_long: int
    swap_short: int
    swap_days: list[int]
    swap_year_days: int
    sessions: list[tuple[int, int]]
    holidays: list[tuple[int, int]]
    day_end_s: int
    trade_mode: str
    execution: str
    collar_ppm: int
    quote_age_max_ms: int
    slippage_points: int
    slippage_points_per_lot: int
    liquidity_max: int
    price_max: int
    leverage_max: int
    converts: bool
    index: int = -1
    bid: int = 0
    ask: int = 0
    quote_ns: int = 0
    funding_ns: int = 0
    state: int = 0

    @property
    def factor(self) -> tuple[int, int]:
        """kn, kd: money = price difference × volume × kn / kd."""
        if self.calc == "futures":
            return self.tick_value, self.tick_size * 10**8
        return self.contract_size, 10 ** (8 + self.digits)

    @property
    def locked(self) -> tuple[Any, ...]:
        """What may not change while something depends on it."""
        return (
            self.digits,
            self.calc,
            self.base,
            self.profit,
            self.margin,
            self.contract_size,
            self.tick_size,
            self.tick_value,
        )


@dataclass
class Override:
    """What a group sets differently for one instrument."""

    markup_points: int | None
    commission: Commission | None
    execution: str | None
    leverage: int | None


@dataclass
class Group:
    """Settings of a group and its trading state."""

    name: str
    currency: int
    leverage: int
    mode: str
    margin_call: int
    stop_out: int
    level_unit: str
    commission: Commission
    markup_points: int
    overrides: dict[int, Override]
    negative_balance_protection: bool
    hedged_margin: str
    stop_out_hedged: bool
    margin_conversion: str
    isolated_stop_ppm: int
    execution: str | None
    limits: dict[str, int] = field(default_factory=dict)
    index: int = -1
    state: int = 0
