"""The instruments, groups and accounts that the differential tests trade with."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tests.oracle.wire import InputRecord, definition, make

START = 1_699_963_200_000_000_000  # a Tuesday, 12:00 UTC
UNIT = 10**8
ACCOUNTS = {1: 0, 2: 0, 3: 1, 4: 2, 5: 2, 6: 3, 7: 4, 8: 5, 9: 6, 10: 7}
CURRENCIES = {"USD": 2, "EUR": 2, "JPY": 0, "GBP": 2, "BTC": 8, "ZZZ": 4}


def _pair(symbol: str, digits: int, **more: Any) -> dict[str, Any]:
    base, profit = symbol[:3], symbol[3:6]
    named = {"symbol": symbol, "digits": digits, "calc": "forex", "base": base, "profit": profit}
    return named | {"margin": base, "contract_size": 100_000 * UNIT} | more


def _share(symbol: str, calc: str, currency: str, lots: int, **more: Any) -> dict[str, Any]:
    named = {"symbol": symbol, "digits": 2, "calc": calc, "base": currency, "profit": currency}
    return named | {"margin": currency, "contract_size": lots * UNIT} | more


WEEK = [[day * 86_400, day * 86_400 + 79_200] for day in range(5)]
INSTRUMENTS: list[dict[str, Any]] = [
    _pair("EURUSD", 5, slippage_points=1, swap_mode="points", swap_long=-7 * UNIT // 10),
    _pair("USDJPY", 3, swap_mode="deposit", swap_short=3 * UNIT, swap_long=-4 * UNIT),
    _pair(
        "GBPUSD",
        5,
        stops_level=20,
        margin_rate_ppm=[10**6, 900_000, 500_000, 500_000, 300_000, 300_000, 250_000, 0],
        swap_mode="base",
        swap_long=-UNIT,
        swap_short=UNIT // 3,
        swap_days=[1, 1, 1, 1, 3, 0, 0],
    ),
    _pair("EURGBP", 5, hedged_ppm=500_000, converts=True, day_end_s=75_600, swap_mode="margin"),
    {
        "symbol": "XAUUSD",
        "digits": 2,
        "calc": "cfd_leverage",
        "base": "USD",
        "profit": "USD",
        "margin": "USD",
        "contract_size": 100 * UNIT,
        "sessions": WEEK,
        "swap_mode": "interest_current",
        "swap_long": -25 * UNIT // 10,
        "swap_short": UNIT,
        "slippage_points_per_lot": 3,
        "quote_age_max_ms": 3_600_000,
    },
    _share("GER40", "cfd", "EUR", 1, collar_ppm=20_000, swap_mode="interest_open", swap_long=-UNIT),
    _share("IDX", "cfd_index", "USD", 10, tick_value=UNIT // 4, tick_size=25, swap_mode="profit"),
    _share(
        "FUT",
        "futures",
        "USD",
        1,
        tick_size=25,
        tick_value=1250 * UNIT // 100,
        initial_margin=500 * UNIT,
        maintenance_margin=400 * UNIT,
        volume_min=10**8,
        volume_step=10**8,
    ),
    _share(
        "STK",
        "stocks",
        "GBP",
        100,
        liquidity_max=35 * 10**6,
        swap_mode="reopen_close",
        swap_long=-2 * UNIT,
        swap_short=-UNIT,
        margin_rate_ppm=[200_000, 300_000, 100_000, 100_000, 50_000, 50_000, 20_000, 20_000],
    ),
    {
        "symbol": "BTCUSD",
        "digits": 1,
        "calc": "perpetual",
        "base": "BTC",
        "profit": "USD",
        "margin": "USD",
        "contract_size": UNIT,
        "tiers": [[0, 10_000], [20_000 * UNIT, 25_000], [100_000 * UNIT, 100_000]],
        "leverage_max": 50,
        "volume_min": 10**5,
        "volume_step": 10**5,
        "liquidity_max": 2 * 10**8,
        "converts": True,
    },
    _pair("EURJPY", 3, execution="routed", initial_margin=200 * UNIT, swap_mode="reopen_bid"),
    _pair("ZZZUSD", 4, calc="forex_no_leverage", contract_size=UNIT * 10, price_max=10**9),
    _share("ZSTK", "stocks", "ZZZ", 1, volume_max=3 * 10**8),
]
QUOTES = {
    "EURUSD": (110_000, 8),
    "USDJPY": (150_000, 12),
    "GBPUSD": (125_000, 10),
    "EURGBP": (88_000, 9),
    "XAUUSD": (200_000, 30),
    "GER40": (1_600_000, 100),
    "IDX": (450_000, 25),
    "FUT": (450_000, 25),
    "STK": (12_345, 7),
    "BTCUSD": (370_000, 20),
    "EURJPY": (165_000, 15),
    "ZZZUSD": (12_000, 11),
    "ZSTK": (5_000, 5),
}
GROUPS: list[dict[str, Any]] = [
    {
        "name": "usd-hedging",
        "currency": "USD",
        "leverage": 100,
        "mode": "hedging",
        "commission": {"mode": "per_lot", "value": 35 * UNIT // 10},
    },
    {
        "name": "eur-larger",
        "currency": "EUR",
        "leverage": 200,
        "mode": "hedging",
        "hedged_margin": "larger_leg",
        "level_unit": "money",
        "margin_call": 300 * UNIT,
        "stop_out": 100 * UNIT,
        "commission": {"mode": "turnover", "value": 3_000, "when": "entry"},
        "markup_points": 3,
        "negative_balance_protection": True,
        "overrides": [
            {"symbol": "EURUSD", "markup_points": 7, "leverage": 500},
            {"symbol": "XAUUSD", "execution": "routed"},
            {"symbol": "GBPUSD", "commission": {"mode": "per_deal", "value": UNIT, "when": "exit"}},
        ],
    },
    {
        "name": "usd-netting",
        "currency": "USD",
        "leverage": 100,
        "mode": "netting",
        "commission": {"mode": "per_deal", "value": 123 * UNIT // 100, "when": "exit"},
        "markup_points": 1,
        "negative_balance_protection": True,
        "limits": {"position_volume_max": 5 * 10**8, "positions_max": 6},
    },
    {
        "name": "jpy-mid",
        "currency": "JPY",
        "leverage": 50,
        "mode": "hedging",
        "margin_conversion": "mid",
        "stop_out_hedged": True,
        "commission": {"mode": "turnover", "value": 5_000},
        "limits": {
            "order_volume_max": 4 * 10**8,
            "order_value_max": 300_000_000 * UNIT,
            "position_volume_max": 6 * 10**8,
            "orders_max": 5,
            "positions_max": 8,
            "orders_per_s": 6,
        },
    },
    {
        "name": "usd-routed",
        "currency": "USD",
        "leverage": 100,
        "mode": "netting",
        "execution": "routed",
        "markup_points": 2,
        "negative_balance_protection": True,
        "overrides": [{"symbol": "EURUSD", "execution": "internal"}],
    },
    {
        "name": "gbp-hedging",
        "currency": "GBP",
        "leverage": 30,
        "mode": "hedging",
        "isolated_stop_ppm": 100_000,
        "margin_call": 20_000,
        "stop_out": 10_000,
        "execution": "internal",
        "negative_balance_protection": True,
    },
    {
        "name": "btc-netting",
        "currency": "BTC",
        "leverage": 100,
        "mode": "netting",
        "margin_conversion": "mid",
        "commission": {"mode": "per_lot", "value": 2_000, "when": "both"},
    },
    {
        "name": "usd-routed-hedging",
        "currency": "USD",
        "leverage": 100,
        "mode": "hedging",
        "execution": "routed",
        "stop_out_hedged": True,
        "negative_balance_protection": True,
    },
]


def text(settings: Mapping[str, Any]) -> bytes:
    """The JSON of a definition."""
    return json.dumps(settings).encode()


def opening(poverty: int = 1) -> list[InputRecord]:
    """Definitions, accounts, first quotes and deposits, divided by `poverty`."""
    records = []
    for code, digits in CURRENCIES.items():
        body = text({"code": code, "digits": digits})
        records.append(definition("DefineCurrency", START, body))
    records += [definition("DefineInstrument", START, text(i)) for i in INSTRUMENTS]
    records += [definition("DefineGroup", START, text(g)) for g in GROUPS]
    for index, instrument in enumerate(INSTRUMENTS):
        bid, spread = QUOTES[instrument["symbol"]]
        if not instrument["symbol"].startswith("Z"):
            records.append(make("Quote", START, instrument=index, bid=bid, ask=bid + spread))
    money = {"USD": 20_000, "EUR": 15_000, "JPY": 2_500_000, "GBP": 20_000, "BTC": 1}
    for account, group in ACCOUNTS.items():
        amount = money[GROUPS[group]["currency"]] * UNIT // poverty
        records.append(make("OpenAccount", START, account, group=group))
        records.append(make("Balance", START, account, amount=amount))
    return records
