"""What a service must have defined before it can trade: currencies, instruments, groups."""

from __future__ import annotations

import logging
from typing import Final

from tradeloom.app.market import Channel, Source, packed
from tradeloom.domain import commands as c
from tradeloom.domain import presets
from tradeloom.domain.currency import Currency
from tradeloom.domain.errors import Refused, Rejected
from tradeloom.domain.group import Group
from tradeloom.domain.instrument import Instrument
from tradeloom.gateways.desk import Desk

log = logging.getLogger(__name__)

_PEG: Final = 10**5  # 1.00000 of the instruments that only convert
GROUPS: Final = (presets.DEMO, presets.NETTING, presets.PRO)


async def define(desk: Desk, source: Source) -> list[Channel]:
    """Define what the source trades and what is not defined yet; how each symbol is fed.

    A definition that is there already stays, because somebody may have changed it on purpose.
    """
    currencies = {each.code: each for each in source.currencies}
    for group in GROUPS:
        currencies.setdefault(group.currency, presets.CURRENCIES[group.currency])
    await _missing(desk, [each for each in currencies.values() if not _has_currency(desk, each)])
    await _missing(
        desk,
        [each for each in (*source.instruments, *source.pegs) if each.symbol not in _symbols(desk)],
    )
    await _missing(
        desk, [each for each in GROUPS if each.name not in {x.name for x in desk.names.groups}]
    )
    for peg in source.pegs:
        desk.shard.quote(packed(desk.names.instrument(peg.symbol), _PEG, _PEG))
    return [_channel(desk, each, source.continues) for each in source.instruments]


def _symbols(desk: Desk) -> set[str]:
    return {each.symbol for each in desk.names.instruments}


def _has_currency(desk: Desk, currency: Currency) -> bool:
    return any(each.code == currency.code for each in desk.names.currencies)


async def _missing(desk: Desk, wanted: list[Currency] | list[Instrument] | list[Group]) -> None:
    for each in wanted:
        try:
            await desk.checked(_command(each))
        except (Refused, Rejected) as error:
            log.warning("%s is not defined: %s", each, error)


def _command(definition: Currency | Instrument | Group) -> c.Command:
    match definition:
        case Currency():
            return c.DefineCurrency(currency=definition)
        case Instrument():
            return c.DefineInstrument(instrument=definition)
        case _:
            return c.DefineGroup(group=definition)


def _channel(desk: Desk, instrument: Instrument, continues: bool) -> Channel:
    index = desk.names.instrument(instrument.symbol)
    digits = desk.names.digits(index)
    finer = digits - instrument.digits
    last = desk.shard.read(lambda core: core.quote(index))[0] if continues else 0
    return Channel(
        instrument.symbol,
        index,
        digits,
        up=10 ** max(finer, 0),
        down=10 ** max(-finer, 0),
        last=last,
    )
