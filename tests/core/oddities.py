"""What the random inputs vary: jumps of quotes, strange fields, changed definitions."""

from __future__ import annotations

from typing import Any

CALM = (2, 10, 10, 30, 30, 100, 400)  # how far a quote may jump, in 1/10,000
WILD = (10, 30, 100, 300, 1_000, 3_000)
SIGNED = {
    "bid", "ask", "volume", "price", "limit_price", "sl", "tp", "trailing", "trailing_step",
    "max_deviation", "expire", "rate", "markup", "commission_value",
}  # fmt: skip
GROUP_CHANGES: list[dict[str, Any]] = [
    {},
    {},
    {"leverage": 77},
    {"stop_out": 8_000, "level_unit": "percent", "margin_call": 12_000},
    {"hedged_margin": "larger_leg"},
    {"markup_points": 4},
    {"mode": "hedging"},
    {"currency": "NOK"},
    {"leverage": 0},
    {"margin_call": 10, "stop_out": 11},
    {"unknown": 1},
    {"overrides": [{"symbol": "NONE"}]},
    {"limits": {"orders_max": -1}},
    {"limits": {"orders_max": 3}},
]
INSTRUMENT_CHANGES: list[dict[str, Any]] = [
    {},
    {},
    {},
    {},
    {"trade_mode": "long_only"},
    {"trade_mode": "short_only"},
    {"trade_mode": "close_only"},
    {"trade_mode": "disabled"},
    {"hedged_ppm": 250_000},
    {"execution": "routed"},
    {"collar_ppm": 5_000},
    {"stops_level": 40},
    {"liquidity_max": 10**7},
    {"digits": 4},
    {"digits": 13},
    {"contract_size": 0},
    {"contract_size": 2**63 - 1},
    {"tick_size": 0},
    {"volume_min": 0},
    {"margin_rate_ppm": [1, 2, 3]},
    {"tiers": [[1, 1]]},
    {"sessions": [[5, 5]]},
    {"price_max": 0},
    {"swap_days": [1]},
    {"swap_year_days": 0},
    {"base": "NOK"},
    {"symbol": "with space"},
    {"calc": "none"},
    {"digits": 1.5},
]
