"""Ready currencies, instruments and groups with conditions as retail brokers publish them.

They are starting points: change one with `msgspec.structs.replace(EURUSD, volume_min=...)`. Hours
are UTC in winter time; contract sizes, tick sizes and tiers follow the symbol specifications of
MetaTrader 5 brokers and, for perpetuals, of Binance USDⓈ-M futures.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from tradeloom.domain.currency import Currency
from tradeloom.domain.enums import CalcMode, CommissionMode, PositionMode, SwapMode, TradeMode
from tradeloom.domain.group import Commission, Group
from tradeloom.domain.hours import Session
from tradeloom.domain.instrument import Instrument, MarginRates, Swap, Tier

_D = Decimal

CURRENCIES: Final[dict[str, Currency]] = {
    currency.code: currency
    for currency in (
        Currency("USD"),
        Currency("EUR"),
        Currency("GBP"),
        Currency("JPY", 0),
        Currency("CHF"),
        Currency("AUD"),
        Currency("NZD"),
        Currency("CAD"),
        Currency("XAU", 4),
        Currency("USDT", 4),
        Currency("BTC", 8),
        Currency("ETH", 8),
    )
}

_FX_WEEK: Final = (Session("Sun 22:00", "Fri 22:00"),)
_METAL_WEEK: Final = tuple(
    Session(f"{start} 23:00", f"{end} 22:00")
    for start, end in (
        ("Sun", "Mon"),
        ("Mon", "Tue"),
        ("Tue", "Wed"),
        ("Wed", "Thu"),
        ("Thu", "Fri"),
    )
)
_NEW_YORK_WEEK: Final = tuple(
    Session(f"{day} 14:30", f"{day} 21:00") for day in ("Mon", "Tue", "Wed", "Thu", "Fri")
)


def _forex(symbol: str, digits: int, swap_long: str, swap_short: str) -> Instrument:
    return Instrument(
        symbol=symbol,
        digits=digits,
        calc=CalcMode.FOREX,
        base=symbol[:3],
        profit=symbol[3:],
        margin=symbol[:3],
        contract_size=_D(100_000),
        volume_min=_D("0.01"),
        volume_max=_D(500),
        volume_step=_D("0.01"),
        swap=Swap(SwapMode.POINTS, _D(swap_long), _D(swap_short)),
        sessions=_FX_WEEK,
        day_end="22:00",
    )


def _perpetual(symbol: str, base: str, digits: int, step: str, size_max: int) -> Instrument:
    return Instrument(
        symbol=symbol,
        digits=digits,
        calc=CalcMode.PERPETUAL,
        base=base,
        profit="USDT",
        margin="USDT",
        contract_size=_D(1),
        volume_min=_D(step),
        volume_max=_D(size_max),
        volume_step=_D(step),
        tiers=(
            Tier(_D(0), _D("0.01")),
            Tier(_D(300_000), _D("0.02")),
            Tier(_D(800_000), _D("0.05")),
            Tier(_D(3_000_000), _D("0.1")),
        ),
        collar=_D("0.05"),
        leverage_max=125,
    )


EURUSD: Final = _forex("EURUSD", 5, "-7.2", "3.1")
GBPUSD: Final = _forex("GBPUSD", 5, "-3.4", "-1.8")
NZDUSD: Final = _forex("NZDUSD", 5, "-0.9", "-2.2")
USDJPY: Final = _forex("USDJPY", 3, "9.8", "-21.5")

XAUUSD: Final = Instrument(
    symbol="XAUUSD",
    digits=2,
    calc=CalcMode.CFD_LEVERAGE,
    base="XAU",
    profit="USD",
    margin="USD",
    contract_size=_D(100),
    volume_max=_D(100),
    swap=Swap(SwapMode.POINTS, _D("-38.5"), _D("17.2")),
    sessions=_METAL_WEEK,
    day_end="22:00",
)

US500: Final = Instrument(
    symbol="US500",
    digits=1,
    calc=CalcMode.CFD_INDEX,
    base="USD",
    profit="USD",
    margin="USD",
    contract_size=_D(1),
    tick_value=_D("0.1"),
    margin_rates=MarginRates(_D("0.05"), _D("0.05")),
    volume_min=_D("0.1"),
    volume_step=_D("0.1"),
    volume_max=_D(500),
    swap=Swap(SwapMode.INTEREST_CURRENT, _D("-6.9"), _D("1.4"), (1, 1, 1, 1, 3, 0, 0)),
    sessions=_METAL_WEEK,
    day_end="22:00",
)

AAPL: Final = Instrument(
    symbol="AAPL",
    digits=2,
    calc=CalcMode.STOCKS,
    base="USD",
    profit="USD",
    margin="USD",
    contract_size=_D(1),
    margin_rates=MarginRates(_D("0.2"), _D("0.2")),
    volume_min=_D(1),
    volume_step=_D(1),
    volume_max=_D(10_000),
    swap=Swap(SwapMode.INTEREST_CURRENT, _D("-7.4"), _D("-2.1"), (1, 1, 1, 1, 3, 0, 0)),
    sessions=_NEW_YORK_WEEK,
    day_end="21:00",
)

BTCUSDT: Final = _perpetual("BTCUSDT", "BTC", 1, "0.001", 1000)
ETHUSDT: Final = _perpetual("ETHUSDT", "ETH", 2, "0.001", 10_000)

USDTUSD: Final = Instrument(
    symbol="USDTUSD",
    digits=5,
    calc=CalcMode.FOREX_NO_LEVERAGE,
    base="USDT",
    profit="USD",
    margin="USDT",
    contract_size=_D(1),
    trade_mode=TradeMode.DISABLED,
)
"""Quoted only to convert the profit and margin of perpetuals into accounts held in US dollars."""

INSTRUMENTS: Final[dict[str, Instrument]] = {
    instrument.symbol: instrument
    for instrument in (
        EURUSD,
        GBPUSD,
        NZDUSD,
        USDJPY,
        XAUUSD,
        US500,
        AAPL,
        USDTUSD,
        BTCUSDT,
        ETHUSDT,
    )
}

DEMO: Final = Group(name="demo", currency="USD", negative_balance_protection=True)
"""Hedging accounts in US dollars, leverage 1:100, margin call at 100 %, stop-out at 50 %."""

NETTING: Final = Group(name="netting", currency="USD", mode=PositionMode.NETTING)
"""As `DEMO` with one position per instrument and no protection of the balance."""

PRO: Final = Group(
    name="pro",
    currency="USD",
    leverage=500,
    margin_call=_D(60),
    stop_out=_D(30),
    commission=Commission(CommissionMode.PER_LOT, _D("3.5")),
    negative_balance_protection=True,
)
"""Raw spreads with a commission of 3.50 per lot and side, leverage 1:500, stop-out at 30 %."""

GROUPS: Final[dict[str, Group]] = {group.name: group for group in (DEMO, NETTING, PRO)}
