"""Every bad input gets one typed error that says what and where, and changes nothing at all."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

from tests.engine.api.conftest import WEDNESDAY, Clock, furnish
from tradeloom.domain import commands as c
from tradeloom.domain import presets
from tradeloom.domain.enums import OrderType, ReturnCode, Scope, Side, TimeInForce, TradingState
from tradeloom.domain.errors import BadNumber, Refused
from tradeloom.engine import Engine
from tradeloom.engine.batches import orders_batch, quotes_batch, rows
from tradeloom.engine.frames import MalformedInput

R = ReturnCode
Call = Callable[[Engine], Any]


def _journal(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.glob("**/*.tlj"))}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("bad") / "data"


@pytest.fixture(scope="module")
def kept(folder: Path) -> Iterator[Engine]:
    """One engine for all tests of the file: none of them may change it."""
    with Engine.open(folder, clock=Clock()) as engine:
        furnish(engine)
        engine.define(presets.CURRENCIES["GBP"])
        engine.define(replace(presets.DEMO, name="other"))
        engine.open_account(1002, group="other")
        engine.open_account(1003, group="demo")
        engine.execute(c.CloseAccount(account=1003))
        engine.buy(1001, "EURUSD", "0.10", id="used")
        engine.place(1001, "EURUSD", Side.BUY, "0.1", type=OrderType.LIMIT, price="1.09500")
        yield engine


def _buy(**order: Any) -> Call:
    return lambda engine: engine.buy(1001, "EURUSD", order.pop("volume", "0.10"), **order)


def _place(**order: Any) -> Call:
    return lambda engine: engine.place(1001, "EURUSD", Side.BUY, "0.10", **order)


def _quote(bid: Any, ask: Any, **more: Any) -> Call:
    return lambda engine: engine.quote("EURUSD", bid, ask, **more)


def _define(**change: Any) -> Call:
    return lambda engine: engine.define(replace(presets.GBPUSD, **change))


_SEVEN: Any = 7

BAD: list[tuple[str, Call, ReturnCode, str]] = [
    ("unknown account", lambda e: e.deposit(9, "1"), R.USER_NOT_FOUND, "account"),
    ("closed account", lambda e: e.deposit(1003, "1"), R.ACCOUNT_CLOSED, "account"),
    ("account 0", lambda e: e.open_account(0, group="demo"), R.ERR_PARAMS, "account"),
    ("negative account", lambda e: e.deposit(-1, "1"), R.ERR_PARAMS, "account"),
    ("huge account", lambda e: e.deposit(2**64, "1"), R.ERR_PARAMS, "account"),
    ("taken account", lambda e: e.open_account(1001, group="demo"), R.USR_LOGIN_EXIST, "account"),
    ("unknown group", lambda e: e.open_account(5, group="no"), R.GROUP_NOT_FOUND, "group"),
    ("unknown symbol", lambda e: e.buy(1001, "NO", "1"), R.SYMBOL_NOT_FOUND, "instrument"),
    ("quote of nothing", lambda e: e.quote("NO", "1", "1"), R.SYMBOL_NOT_FOUND, "instrument"),
    ("wrong step", _buy(volume="0.015"), R.TRADE_BAD_VOLUME, "volume"),
    ("too small", _buy(volume="0.001"), R.TRADE_BAD_VOLUME, "volume"),
    ("too large", _buy(volume="501"), R.TRADE_BAD_VOLUME, "volume"),
    ("negative volume", _buy(volume="-0.1"), R.TRADE_BAD_VOLUME, "volume"),
    ("zero volume", _buy(volume="0"), R.TRADE_BAD_VOLUME, "volume"),
    ("nine decimals", _buy(volume="0.100000001"), R.ERR_PARAMS, "volume"),
    ("NaN volume", _buy(volume="NaN"), R.ERR_PARAMS, "volume"),
    ("NaN decimal", _buy(volume=Decimal("NaN")), R.ERR_PARAMS, "volume"),
    ("infinite volume", _buy(volume=Decimal("Infinity")), R.ERR_PARAMS, "volume"),
    ("float volume", _buy(volume=0.1), R.ERR_PARAMS, "volume"),
    ("float NaN", _buy(volume=math.nan), R.ERR_PARAMS, "volume"),
    ("overflowing volume", _buy(volume="1" + "0" * 30), R.OVERFLOW, "volume"),
    ("overflowing exponent", _buy(volume=Decimal("1E+9999")), R.OVERFLOW, "volume"),
    ("six digits", _buy(sl="1.000001"), R.ERR_PARAMS, "sl"),
    ("negative stop loss", _buy(sl="-1"), R.TRADE_INVALID_SL_TP, "sl"),
    ("negative take profit", _buy(tp="-1"), R.TRADE_INVALID_SL_TP, "tp"),
    ("negative price", _buy(price="-1"), R.TRADE_BAD_PRICES, "price"),
    ("limit without price", _place(type=OrderType.LIMIT), R.TRADE_BAD_PRICES, "price"),
    ("market order by day", _buy(tif=TimeInForce.DAY), R.ERR_PARAMS, "tif"),
    (
        "expired before it is placed",
        _place(type=OrderType.LIMIT, price="1.09", tif=TimeInForce.GTD, expire=WEDNESDAY),
        R.TRADE_EXPIRATION_DENIED,
        "expire",
    ),
    ("negative leverage", _buy(leverage=-1), R.ERR_PARAMS, "leverage"),
    ("too much leverage", _buy(leverage=101), R.ERR_PARAMS, "leverage"),
    ("unknown side", lambda e: e.place(1001, "EURUSD", _SEVEN, "0.1"), R.BAD_RECORD, ""),
    ("crossed quote", _quote("1.2", "1.1"), R.TRADE_BAD_PRICES, "ask"),
    ("zero quote", _quote("0", "1.1"), R.TRADE_BAD_PRICES, "bid"),
    ("negative quote", _quote("-1", "1.1"), R.TRADE_BAD_PRICES, "bid"),
    ("zero ask", _quote("1.1", "0"), R.TRADE_BAD_PRICES, "ask"),
    ("NaN quote", _quote("NaN", "1.1"), R.ERR_PARAMS, "bid"),
    ("float quote", _quote(1.1, 1.2), R.ERR_PARAMS, "bid"),
    ("overflowing quote", _quote("1.1", "1" + "0" * 20), R.OVERFLOW, "ask"),
    ("time backwards", _quote("1.1", "1.1", ts=WEDNESDAY - 1), R.TIME_BACKWARDS, "ts"),
    ("time 0", _quote("1.1", "1.1", ts=0), R.TIME_BACKWARDS, "ts"),
    ("time beyond i64", _quote("1.1", "1.1", ts=2**63), R.OVERFLOW, "ts"),
    ("time as text", _quote("1.1", "1.1", ts="now"), R.ERR_PARAMS, "ts"),
    ("zero deposit", lambda e: e.deposit(1001, "0"), R.ERR_PARAMS, "amount"),
    ("negative deposit", lambda e: e.deposit(1001, "-5"), R.ERR_PARAMS, "amount"),
    ("fraction of a cent", lambda e: e.deposit(1001, "1.001"), R.ERR_PARAMS, "amount"),
    ("too much money", lambda e: e.deposit(1001, "1" + "0" * 25), R.OVERFLOW, "amount"),
    ("i128 overflow", lambda e: e.deposit(1001, "1" + "0" * 40), R.OVERFLOW, "amount"),
    ("NaN deposit", lambda e: e.deposit(1001, "nan"), R.ERR_PARAMS, "amount"),
    ("id used for another", _buy(volume="0.2", id="used"), R.DUPLICATE_ID, "id"),
    ("id too long", _buy(id="x" * 33), R.BAD_RECORD, "id"),
    ("id with a space", _buy(id="a b"), R.BAD_RECORD, "id"),
    ("id beyond ASCII", _buy(id="é"), R.BAD_RECORD, "id"),
    ("no such order", lambda e: e.cancel(1001, 999), R.TRADE_INCORRECT_ORDER, "order"),
    (
        "no such order to modify",
        lambda e: e.modify_order(1001, 999, "1.1"),
        R.TRADE_INCORRECT_ORDER,
        "order",
    ),
    (
        "position of another",
        lambda e: e.close_position(1002, e.positions(1001)[0].id),
        R.TRADE_INCORRECT_ORDER,
        "position",
    ),
    (
        "closing more than there is",
        lambda e: e.close_position(1001, e.positions(1001)[0].id, "0.2"),
        R.TRADE_BAD_VOLUME,
        "volume",
    ),
    (
        "closing nothing",
        lambda e: e.close_position(1001, e.positions(1001)[0].id, "0"),
        R.TRADE_BAD_VOLUME,
        "volume",
    ),
    (
        "state of an unknown account",
        lambda e: e.set_trading_state(Scope.ACCOUNT, TradingState.HALTED, 9),
        R.USER_NOT_FOUND,
        "target",
    ),
    (
        "funding of forex",
        lambda e: e.funding("EURUSD", "0.0001"),
        R.TRADE_INCORRECT_CMD,
        "instrument",
    ),
    ("closing a funded account", lambda e: e.execute(c.CloseAccount(account=1001)).checked(),
     R.USR_HAS_TRADES, "account"),
    ("13 digits", _define(digits=13), R.ERR_PARAMS, "digits"),
    ("a symbol with a space", _define(symbol="GBP USD"), R.ERR_PARAMS, "symbol"),
    ("an unknown currency", _define(base="XYZ"), R.CURRENCY_NOT_FOUND, "currency"),
    ("no contract", _define(contract_size=Decimal(0)), R.ERR_PARAMS, "contract_size"),
    ("minimum above maximum", _define(volume_min=Decimal(501)), R.ERR_PARAMS, "volume"),
    ("step of 0", _define(volume_step=Decimal(0)), R.ERR_PARAMS, "volume"),
    (
        "stop-out above margin call",
        lambda e: e.define(replace(presets.PRO, stop_out=Decimal(70))),
        R.ERR_PARAMS,
        "margin_call",
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("call", "code", "field"),
    [(call, code, field) for _, call, code, field in BAD],
    ids=[name for name, *_ in BAD],
)
def test_a_bad_input_changes_nothing(
    kept: Engine, folder: Path, call: Call, code: ReturnCode, field: str
) -> None:
    before = (kept.state_hash, _journal(folder), kept.trial_balance(), kept.ledger(1001))
    with pytest.raises(Refused) as caught:
        call(kept)
    assert caught.value.code is code
    if field:
        assert caught.value.field == field
        assert field in str(caught.value)
    after = (kept.state_hash, _journal(folder), kept.trial_balance(), kept.ledger(1001))
    assert after == before


def test_the_same_answer_from_execute(kept: Engine) -> None:
    before = kept.state_hash
    answer = kept.execute(c.Deposit(account=1001, amount=1.5))  # type: ignore[arg-type]
    assert (answer.code, answer.field, answer.refused) == (R.ERR_PARAMS, "amount", True)
    assert "pass a string" in answer.message
    assert kept.state_hash == before


@pytest.mark.parametrize("cut", [1, 8, 15, 16, 39])
def test_truncated_bytes(kept: Engine, folder: Path, cut: int) -> None:
    whole = quotes_batch(WEDNESDAY + 1, kept.names.instrument("EURUSD"), 110000, 110002)
    before = (kept.state_hash, _journal(folder))
    with pytest.raises(MalformedInput, match="malformed input at byte"):
        kept.apply(whole + whole[:cut])
    assert (kept.state_hash, _journal(folder)) == before


def test_random_bytes(kept: Engine, folder: Path) -> None:
    dice = random.Random(7)
    before = (kept.state_hash, _journal(folder))
    for _ in range(300):
        data = dice.randbytes(dice.randrange(1, 400))
        with pytest.raises(MalformedInput):
            kept.apply(data)
    assert (kept.state_hash, _journal(folder)) == before


def test_random_bodies_behind_a_sound_header(kept: Engine) -> None:
    dice = random.Random(8)
    before = kept.state_hash
    for name in ("PlaceOrder", "ClosePosition", "Balance", "Report", "SetTradingState"):
        for _ in range(50):
            batch = rows(name, 1)
            batch["account"], batch["ts"] = 999, WEDNESDAY + 1
            raw = bytearray(batch.tobytes())
            raw[56:] = dice.randbytes(len(raw) - 56)
            answers = list(kept.decode(kept.apply(bytes(raw))))
            assert [answer.seq for answer in answers] == [0]
    assert kept.state_hash == before


def test_floats_in_a_batch(kept: Engine) -> None:
    with pytest.raises(BadNumber, match="float64 values are not exact"):
        quotes_batch(WEDNESDAY, 0, np.array([1.1]), np.array([1.2]))
    with pytest.raises(BadNumber, match="volume"):
        orders_batch(WEDNESDAY, 1001, 0, 0, volume=0.1)
