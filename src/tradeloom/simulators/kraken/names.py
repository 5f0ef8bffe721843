"""What Kraken calls its pairs, assets, orders and executions."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from tradeloom.domain.market import InstrumentKind, VenueInstrument
from tradeloom.simulators.references import reference, split

SYMBOLS: Final = ("BTCUSD", "ETHUSD", "SOLUSD", "XRPUSD", "LTCUSD")
# Price decimals where they are not those of the references; the second row is the recording's.
_DIGITS: Final = {
    "BTCUSD": 1, "BTCEUR": 1, "XRPUSD": 5, "ADAUSD": 6,
    "WAVESEUR": 4, "XMRUSD": 2, "KSMBTC": 6, "GRTETH": 7, "SCEUR": 5, "ETHCHF": 2,
    "OCEANBTC": 8, "OMGUSD": 6, "BTCCHF": 1, "ADABTC": 8,
}  # fmt: skip
_OLD: Final = {"BTC": "XXBT", "ETH": "XETH", "LTC": "XLTC", "XRP": "XXRP", "XMR": "XXMR"}
_FIAT: Final = ("USD", "EUR", "GBP", "JPY", "CHF", "CAD")
_REST: Final = {"BTC": "XBT", "DOGE": "XDG"}
_DIGITS36: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def listed(venue: str, symbol: str) -> VenueInstrument:
    """One of our symbols as an instrument. Raises ValueError."""
    if symbol.endswith("CHF"):
        base, quote = symbol.removesuffix("CHF"), "CHF"
    else:
        base, quote = split(symbol)
    known = reference(base)
    return VenueInstrument(
        venue=venue,
        symbol=f"{base}{quote}",
        wire=f"{base}/{quote}",
        kind=InstrumentKind.SPOT,
        base=base,
        quote=quote,
        settle=quote,
        digits=_DIGITS.get(f"{base}{quote}", known.price_digits),
        tick=1,
        step=1,
        volume_min=10 ** (8 - known.size_digits),
        notional_min=Decimal("0.5"),
        contract_currency=base,
    )


def asset_name(asset: str) -> str:
    """`XXBT`, `ZUSD`, `SOL`: the names of REST balances."""
    return _OLD.get(asset) or (f"Z{asset}" if asset in _FIAT else _REST.get(asset, asset))


def alt_asset(asset: str) -> str:
    """`XBT` for BTC."""
    return _REST.get(asset, asset)


def alt_name(at: VenueInstrument) -> str:
    """`XBTUSD`."""
    return alt_asset(at.base) + alt_asset(at.quote)


def ws_name(at: VenueInstrument) -> str:
    """`XBT/USD`, as the first version of the sockets and AssetPairs have it."""
    return f"{alt_asset(at.base)}/{alt_asset(at.quote)}"


def pair_name(at: VenueInstrument) -> str:
    """`XXBTZUSD` where both names are old ones, else the short name."""
    if at.base in _OLD and (at.quote in _OLD or at.quote in _FIAT):
        return asset_name(at.base) + asset_name(at.quote)
    return alt_name(at)


def order_name(number: int) -> str:
    """An order's number as `OAAAAA-AAAAA-AAAAAA`."""
    return _named("O", number)


def order_number(name: str) -> int | None:
    """The number behind an order's name; None for what is no name."""
    text = name.replace("-", "")
    if len(text) != 17 or text[0] != "O" or any(each not in _DIGITS36 for each in text):
        return None
    return int(text[1:], 36)


def execution_name(trade_id: int, order_id: int) -> str:
    """A name for one side of a trade, as `TAAAAA-AAAAA-AAAAAA`."""
    return _named("T", order_id * 10**9 + trade_id)


def _named(letter: str, number: int) -> str:
    text = ""
    for _ in range(16):
        number, digit = divmod(number, 36)
        text = _DIGITS36[digit] + text
    text = letter + text
    return f"{text[:6]}-{text[6:11]}-{text[11:]}"
