"""The cast of a replay: who trades, in which group, with how much money, and how they behave."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import IntEnum
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from tradeloom.domain import presets
from tradeloom.domain.enums import CalcMode
from tradeloom.domain.group import Group
from tradeloom.engine import Engine
from tradeloom.engine.batches import rows
from tradeloom.replay.dice import below, roll
from tradeloom.replay.market import Market

Int64 = NDArray[np.int64]

# The leverage some brokers really offer, so that a quiet hour is enough for a stop-out.
_MAX: Final = msgspec.structs.replace(
    presets.PRO, name="max", leverage=2000, margin_call=Decimal(100), stop_out=Decimal(50)
)
GROUPS: Final[tuple[Group, ...]] = (presets.DEMO, presets.PRO, presets.NETTING, _MAX)
_IN_DEMO, _IN_PRO, _IN_NETTING, _IN_MAX = range(4)
_CENTS: Final = 10**6  # a cent in the core's 1e-8 of a money unit
_FIRST_ACCOUNT: Final = 1001
_CAST_STEP: Final = 2**63  # a step of the dice that no replay reaches


class Script(IntEnum):
    """How an account trades."""

    TREND = 0  # follows the price with stop loss, take profit and trailing stop
    SCALPER = 1  # in and out with tight stops and a bounded deviation
    GRID = 2  # limit and stop orders around the price, some cancelling each other
    HEDGER = 3  # holds both sides, locks and unlocks
    GAMBLER = 4  # as large as the margin allows, no stop: margin calls and stop-outs
    ISOLATED = 5  # perpetuals with isolated leverage: liquidations


# How many of a hundred accounts follow each script.
_SHARES: Final = (30, 25, 20, 12, 8, 5)


@dataclass(frozen=True, slots=True)
class Cast:
    """One row per account: number, script, home instrument (index in the market) and dollars."""

    account: NDArray[np.uint64]
    script: Int64
    home: Int64
    dollars: Int64


def open_cast(engine: Engine, market: Market, count: int, seed: int, ts: int) -> Cast:
    """Open `count` accounts at `ts` (UTC ns), fund them and give out the scripts.

    The engine must have the instruments of `market` and the `GROUPS` already.
    """
    lanes = np.arange(count, dtype=np.uint64)
    dice = roll(seed, _CAST_STEP, lanes)
    script = np.searchsorted(np.cumsum(_SHARES), below(dice, 100), side="right").astype(np.int64)
    group = np.array([_IN_DEMO, _IN_DEMO, _IN_PRO, _IN_NETTING])[below(dice, 4, 16)]
    group = np.where((script == Script.HEDGER) | (script == Script.GRID), _IN_DEMO, group)
    group = np.where(script == Script.GAMBLER, _IN_MAX, group)
    tradable, perpetuals = _homes(market)
    home = tradable[below(dice, len(tradable), 32)]
    if len(perpetuals):
        own = perpetuals[below(dice, len(perpetuals), 32)]
        home = np.where(script == Script.ISOLATED, own, home)
    else:
        script = np.where(script == Script.ISOLATED, Script.TREND, script)
    dollars = 1000 + below(dice, 9000, 48)
    dollars = np.where(script == Script.GAMBLER, 200 + dollars // 10, dollars)
    account = lanes + np.uint64(_FIRST_ACCOUNT)
    opening = rows("OpenAccount", count)
    opening["ts"], opening["account"] = ts, account
    opening["group"] = np.array([engine.names.group(each.name) for each in GROUPS])[group]
    funding = rows("Balance", count)
    funding["ts"], funding["account"] = ts, account
    funding["amount_lo"] = dollars * 100 * _CENTS
    engine.apply(opening.tobytes())
    engine.apply(funding.tobytes())
    return Cast(account, script, home, dollars)


def lots_per_thousand(market: Market, bid: Int64) -> Int64:
    """Volume (1e-8 lot) of each instrument worth about 1000 US dollars at these bids.

    At least the minimum, on the step. The other side of a cross counts like a dollar: scripts only
    need the order of magnitude.
    """
    volumes = []
    for instrument, price in zip(market.instruments, bid.tolist(), strict=True):
        body = instrument.to_core()
        step, least = body["volume_step"], body["volume_min"]
        value = max(price, 1) * body["contract_size"]  # of one lot, 10^(digits + 8) dollars
        if instrument.profit == "JPY":
            value //= 100
        if instrument.base == "USD":
            value = body["contract_size"] * 10**instrument.digits
        wanted = 1000 * 10 ** (instrument.digits + 16) // max(value, 1)
        volumes.append(min(max(least + (wanted - least) // step * step, least), 10**12))
    return np.array(volumes, np.int64)


def _homes(market: Market) -> tuple[Int64, Int64]:
    usable = [i for i, each in enumerate(market.instruments) if market.convertible(each)]
    perpetual = [i for i in usable if market.instruments[i].calc is CalcMode.PERPETUAL]
    if not usable:
        usable = list(range(len(market.instruments)))
    return np.array(usable, np.int64), np.array(perpetual, np.int64)
