"""What a replay trades: its instruments, and their ticks as chunks of one time-ordered stream."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Final

import msgspec

from tradeloom.domain import presets
from tradeloom.domain.currency import Currency
from tradeloom.domain.enums import CalcMode, TradeMode
from tradeloom.domain.instrument import Instrument, MarginRates
from tradeloom.marketdata.generator import MarketGenerator
from tradeloom.marketdata.merge import merge_recordings
from tradeloom.marketdata.quotes import Chunk
from tradeloom.marketdata.recordings import Recording, open_recordings
from tradeloom.replay.slices import first

ACCOUNT_CURRENCY: Final = "USD"
_STABLE: Final = ("USDT", "USDC", "BUSD", "FDUSD")
_FIAT: Final = ("USD", "EUR", "GBP", "JPY", "CHF", "AUD", "NZD", "CAD")
_METALS_AND_OIL: Final = {"XAU": 100, "XAG": 5000, "WTI": 1000, "BRENT": 1000}


@dataclass(frozen=True, slots=True)
class Market:
    """Instruments in the order of their indices in `chunks`, and how many ticks are expected.

    `pegs` are instruments behind them that only convert currencies; each is quoted once at 1.
    `notes` are lines for the user about what was found. `recorded`: made from recordings.
    """

    instruments: tuple[Instrument, ...]
    pegs: tuple[Instrument, ...]
    ticks: int
    chunks: Iterator[Chunk]
    notes: tuple[str, ...]
    recorded: bool

    @property
    def currencies(self) -> tuple[Currency, ...]:
        """Every currency the instruments name, each once."""
        named = (
            code
            for each in (*self.instruments, *self.pegs)
            for code in (each.base, each.profit, each.margin)
        )
        codes = dict.fromkeys((ACCOUNT_CURRENCY, *named))
        return tuple(presets.CURRENCIES.get(code, Currency(code, 8)) for code in codes)

    def convertible(self, instrument: Instrument) -> bool:
        """True if profit and margin of the instrument can be converted into the accounts' money."""
        pairs = {
            frozenset((each.base, each.profit))
            for each in (*self.instruments, *self.pegs)
            if each.to_core()["converts"]
        }
        return all(
            code == ACCOUNT_CURRENCY or frozenset((code, ACCOUNT_CURRENCY)) in pairs
            for code in (instrument.profit, instrument.margin)
        )


def recorded_market(paths: Sequence[Path], ticks: int | None) -> Market:
    """The recordings under `paths`; raises `RecordingError`. `ticks` ends the replay early."""
    catalog = open_recordings(paths)
    recordings = catalog.recordings
    instruments = _unique(recordings)
    total = sum(recording.rows for recording in recordings)
    notes = [
        f"{recording.source}/{recording.symbol}: {recording.rows:,} ticks"
        + (f", {recording.faults.total:,} unusable left out" if recording.faults.total else "")
        for recording in recordings
    ]
    if catalog.skipped:
        notes.append(f"{len(catalog.skipped):,} files of other kinds passed over")
    return Market(
        instruments,
        pegs_of(instruments),
        total if ticks is None else min(ticks, total),
        first(merge_recordings(recordings), ticks),
        tuple(notes),
        recorded=True,
    )


def generated_market(seed: int, ticks: int) -> Market:
    """The seeded market; raises `ValueError` for a seed it does not have."""
    generator = MarketGenerator(seed)
    instruments = tuple(
        instrument_for(each.symbol, each.base, each.quote, each.price_digits)
        for each in generator.instruments
    )
    return Market(
        instruments,
        pegs_of(instruments),
        ticks,
        generator.chunks(ticks),
        (f"generated market of {len(instruments)} instruments, seed {seed}",),
        recorded=False,
    )


def instrument_for(symbol: str, base: str, quote: str, digits: int) -> Instrument:
    """An instrument open at all times: the preset of this symbol, or one like its kind."""
    preset = presets.INSTRUMENTS.get(symbol)
    if preset is not None:
        return msgspec.structs.replace(preset, digits=digits, sessions=())
    plain = Instrument(symbol=symbol, digits=digits, base=quote, profit=quote, margin=quote)
    change = msgspec.structs.replace
    if base in _FIAT and quote in _FIAT:
        return change(plain, base=base, margin=base)
    if base in _METALS_AND_OIL:
        size = Decimal(_METALS_AND_OIL[base])
        return change(plain, calc=CalcMode.CFD_LEVERAGE, contract_size=size)
    if quote in _STABLE:
        return change(
            presets.ETHUSDT, symbol=symbol, base=base, profit=quote, margin=quote, digits=digits
        )
    rates = MarginRates(Decimal("0.1"), Decimal("0.1"))
    return change(
        plain, calc=CalcMode.STOCKS, contract_size=Decimal(1), margin_rates=rates,
        volume_min=Decimal(1), volume_step=Decimal(1), volume_max=Decimal(100_000),
    )  # fmt: skip


def _unique(recordings: Sequence[Recording]) -> tuple[Instrument, ...]:
    """One instrument per recording; a symbol that two sources recorded is named after each."""
    taken: set[str] = set()
    found = []
    for recording in recordings:
        base, quote = _split(recording.symbol)
        made = instrument_for(recording.symbol, base, quote, recording.price_digits)
        if recording.symbol in taken:
            name = f"{recording.symbol}.{recording.source}"
            number = 2
            while name in taken:
                name, number = f"{recording.symbol}.{recording.source}{number}", number + 1
            made = msgspec.structs.replace(made, symbol=name)
        taken.add(made.symbol)
        found.append(made)
    return tuple(found)


def _split(symbol: str) -> tuple[str, str]:
    """Base and quote currency of a symbol without separators; shares are quoted in US dollars."""
    for quote in (*_STABLE, *_FIAT):
        base = symbol.removesuffix(quote)
        if base and base != symbol:
            return base, quote
    return symbol, ACCOUNT_CURRENCY


def pegs_of(instruments: Sequence[Instrument]) -> tuple[Instrument, ...]:
    """What only converts: each dollar coin that something is quoted in, at one dollar."""
    quotes = {each.profit for each in instruments} | {each.margin for each in instruments}
    return tuple(
        msgspec.structs.replace(
            presets.USDTUSD,
            symbol=f"{coin}USD",
            base=coin,
            margin=coin,
            trade_mode=TradeMode.DISABLED,
        )
        for coin in _STABLE
        if coin in quotes and f"{coin}USD" not in {each.symbol for each in instruments}
    )
