"""What instruments start from where nothing else is known: prices, steps and precisions."""

from __future__ import annotations

from typing import Final, NamedTuple

USD_LIKE: Final = ("USDT", "USDC", "USD", "FDUSD", "BUSD")
QUOTES: Final = (*USD_LIKE, "EUR", "GBP", "BTC", "ETH", "BNB", "JPY")


class Reference(NamedTuple):
    """A price to start from, the decimals of the price, and of the size, and the daily swing."""

    price: str
    price_digits: int
    size_digits: int
    daily_percent: float = 3.0


# Bases against a dollar. The coins' prices are those of the recordings of August 2024.
REFERENCES: Final[dict[str, Reference]] = {
    "BTC": Reference("61800.00", 2, 5),
    "ETH": Reference("2683.80", 2, 4),
    "SOL": Reference("153.10", 2, 3, 4.0),
    "BNB": Reference("516.40", 2, 3),
    "XRP": Reference("0.6105", 4, 1, 4.0),
    "LTC": Reference("61.75", 2, 3),
    "DOGE": Reference("0.10620", 5, 0, 5.0),
    "ADA": Reference("0.3520", 4, 1, 4.0),
    "AAPL": Reference("213.30", 2, 0, 1.5),
    "MSFT": Reference("402.70", 2, 0, 1.5),
    "SPY": Reference("530.65", 2, 0, 1.0),
    "TSLA": Reference("198.80", 2, 0, 3.0),
    "INTC": Reference("19.70", 2, 0, 2.5),
    "EUR": Reference("1.0917", 5, 2, 0.5),
    "GBP": Reference("1.2749", 5, 2, 0.5),
}
_UNKNOWN: Final = Reference("100.00", 2, 3)


def reference(base: str) -> Reference:
    """Where to start for a base; a hundred dollars for one nobody knows."""
    return REFERENCES.get(base, _UNKNOWN)


def learn(base: str, price: str, price_digits: int, size_digits: int) -> None:
    """A recording knows better than this table: a new base, or one with more decimals."""
    known = REFERENCES.get(base)
    if known is None or known.price_digits < price_digits or known.size_digits < size_digits:
        swing = known.daily_percent if known else _UNKNOWN.daily_percent
        REFERENCES[base] = Reference(price, price_digits, size_digits, swing)


def split(symbol: str) -> tuple[str, str]:
    """Base and quote of one of our symbols: `BTCUSDT` and `BTCUSDT-PERP` are BTC and USDT.

    Raises ValueError for a symbol that ends in no known quote currency.
    """
    pair = symbol.upper().partition("-")[0]
    for quote in QUOTES:
        if pair.endswith(quote) and len(pair) > len(quote):
            return pair[: -len(quote)], quote
    raise ValueError(f"{symbol[:40]!r} is no pair of a base and one of {', '.join(QUOTES)}")
