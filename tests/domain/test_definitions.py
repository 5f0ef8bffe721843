"""Instruments, groups and currencies: natural units to the core's integers and back, exactly."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import msgspec
import pytest

from tradeloom.domain import hours, presets
from tradeloom.domain.enums import CommissionMode, CommissionWhen, Execution, LevelUnit
from tradeloom.domain.errors import BadDefinition, BadNumber
from tradeloom.domain.group import Commission, Group, Limits, Override
from tradeloom.domain.hours import Holiday, Session
from tradeloom.domain.instrument import Instrument

RICH_GROUP = Group(
    name="rich",
    currency="EUR",
    level_unit=LevelUnit.MONEY,
    margin_call=Decimal("1000.50"),
    stop_out=Decimal(500),
    commission=Commission(CommissionMode.TURNOVER, Decimal("0.00002"), CommissionWhen.ENTRY),
    overrides=(
        Override(symbol="EURUSD", markup_points=3, leverage=30),
        Override(
            symbol="XAUUSD",
            commission=Commission(CommissionMode.PER_DEAL, Decimal(1)),
            execution=Execution.ROUTED,
        ),
    ),
    execution=Execution.INTERNAL,
    limits=Limits(order_volume_max=Decimal(50), order_value_max=Decimal(10**6), orders_per_s=20),
)


@pytest.mark.parametrize("instrument", presets.INSTRUMENTS.values(), ids=lambda i: i.symbol)
def test_instrument_round_trip(instrument: Instrument) -> None:
    assert Instrument.from_core(instrument.to_core()) == instrument
    assert msgspec.json.decode(msgspec.json.encode(instrument), type=Instrument) == instrument


@pytest.mark.parametrize("group", [*presets.GROUPS.values(), RICH_GROUP], ids=lambda g: g.name)
def test_group_round_trip(group: Group) -> None:
    assert Group.from_core(group.to_core()) == group
    assert msgspec.json.decode(msgspec.json.encode(group), type=Group) == group


def test_preset_currencies_are_all_there() -> None:
    for instrument in presets.INSTRUMENTS.values():
        assert {instrument.base, instrument.profit, instrument.margin} <= set(presets.CURRENCIES)


def test_units_of_the_core() -> None:
    body = presets.XAUUSD.to_core()
    assert body["contract_size"] == 100 * 10**8
    assert body["volume_min"] == 10**6
    assert body["swap_long"] == -3_850_000_000
    assert body["day_end_s"] == 22 * 3600
    assert presets.DEMO.to_core()["stop_out"] == 5000
    assert RICH_GROUP.to_core()["margin_call"] == 100_050_000_000


def test_sessions_are_cut_at_the_end_of_the_week() -> None:
    ranges = hours.week_ranges([Session("Sun 22:00", "Fri 22:00")])
    assert ranges == [[0, 4 * 86400 + 79200], [6 * 86400 + 79200, 7 * 86400]]
    assert hours.week_ranges([Session("Mon 00:00", "Fri 24:00")]) == [[0, 5 * 86400]]
    assert hours.week_sessions([[0, 5 * 86400]]) == (Session("Mon 00:00", "Fri 24:00"),)


@pytest.mark.parametrize(
    "sessions",
    [
        [Session("Mon 25:00", "Fri 22:00")],
        [Session("Monday", "Fri 22:00")],
        [Session("Mon 24:01", "Fri 22:00")],
        [Session("Mon 10:00", "Mon 12:00"), Session("Mon 11:00", "Mon 13:00")],
    ],
)
def test_impossible_sessions(sessions: list[Session]) -> None:
    with pytest.raises(BadDefinition, match="sessions"):
        hours.week_ranges(sessions)


def test_holidays() -> None:
    christmas = Holiday(datetime(2025, 12, 25, tzinfo=UTC), datetime(2025, 12, 26, tzinfo=UTC))
    ranges = hours.holiday_ranges([christmas])
    assert ranges[0][1] - ranges[0][0] == 86400
    assert hours.holidays_from(ranges) == (christmas,)
    naive = datetime.fromisoformat("2025-12-25")
    with pytest.raises(BadDefinition, match="time zone"):
        hours.holiday_ranges([Holiday(naive, naive)])
    with pytest.raises(BadDefinition, match="end after"):
        hours.holiday_ranges([Holiday(christmas.end, christmas.start)])


@pytest.mark.parametrize("text", ["24:00", "22", "22:60", "midnight"])
def test_impossible_day_end(text: str) -> None:
    with pytest.raises(BadDefinition):
        msgspec.structs.replace(presets.EURUSD, day_end=text).to_core()


def test_a_definition_must_fit_its_digits() -> None:
    with pytest.raises(BadNumber, match="tick_size"):
        msgspec.structs.replace(presets.EURUSD, tick_size=Decimal("0.000001")).to_core()
    with pytest.raises(BadDefinition, match="0 to 12"):
        msgspec.structs.replace(presets.EURUSD, digits=13).to_core()
