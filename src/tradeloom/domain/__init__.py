"""The words of the trade: commands, events, definitions and return codes. Pure values, no IO."""

from __future__ import annotations

from tradeloom.domain.currency import Currency
from tradeloom.domain.enums import ReturnCode, Side
from tradeloom.domain.errors import (
    BadDefinition,
    BadNumber,
    EngineStopped,
    Refused,
    Rejected,
    TradeloomError,
)
from tradeloom.domain.group import Group
from tradeloom.domain.instrument import Instrument

__all__ = [
    "BadDefinition",
    "BadNumber",
    "Currency",
    "EngineStopped",
    "Group",
    "Instrument",
    "Refused",
    "Rejected",
    "ReturnCode",
    "Side",
    "TradeloomError",
]
