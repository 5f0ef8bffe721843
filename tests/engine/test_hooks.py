"""Hooks enrich or refuse commands before they are journaled, and cannot take the engine down."""

from __future__ import annotations

import struct
import time
from pathlib import Path
from typing import Literal

import pytest

from benchmarks.load import UNIT, buy, deposit, opening
from tests.engine.said import Said, said
from tradeloom.engine.hooks import Hook, Refuse
from tradeloom.engine.records import COMMAND_HEADER, INPUT_HEADER, INPUTS
from tradeloom.engine.shard import Shard

BALANCE, PLACE = INPUTS["Balance"].kind, INPUTS["PlaceOrder"].kind
AMOUNT_AT = INPUT_HEADER.size + COMMAND_HEADER.size + 8


def doubled(record: bytes) -> bytes:
    """A promotion: deposits count twice."""
    (low,) = struct.unpack_from("<Q", record, AMOUNT_AT)
    return record[:AMOUNT_AT] + struct.pack("<Q", 2 * low) + record[AMOUNT_AT + 8 :]


async def balance(made: Shard, account: int = 1) -> int:
    row = made.read(lambda core: core.account(account))
    assert row is not None
    return int(row["balance"])


async def test_what_a_hook_changed_is_journaled_and_not_asked_again(tmp_path: Path) -> None:
    async with await Shard.open(tmp_path) as made:
        await made.submit(opening(2, money=100 * UNIT))
        made.hooks.register("double", doubled, kinds=[BALANCE], on_failure="refuse")
        answers = await made.execute_many([deposit(1, "a"), buy(2, "b"), deposit(1, "c")])
        assert [said(answer)[0].code for answer in answers] == [0, 0, 0]
        assert await balance(made) == 104 * UNIT
        before = made.read(lambda core: core.state_hash())
    for path in tmp_path.glob("*.tls"):
        path.unlink()
    async with await Shard.open(tmp_path) as made:
        assert made.read(lambda core: core.state_hash()) == before


async def test_a_hook_refuses_with_its_own_code() -> None:
    async with await Shard.in_memory() as made:
        await made.submit(opening(3))

        def no_even(record: bytes) -> Refuse | None:
            account = COMMAND_HEADER.unpack_from(record, INPUT_HEADER.size)[0]
            return Refuse(165, 28) if account % 2 == 0 else None

        first = made.hooks.register("odd", no_even, kinds=[PLACE], on_failure="refuse")
        seq = made.read(lambda core: core.input_seq)
        packed = buy(1, "a") + buy(2, "b") + deposit(2, "d") + deposit(99, "e") + buy(3, "c")
        assert said(await made.submit(packed)) == [
            Said(0, 0, 0, 0),
            Said(1, 165, 28, 1),
            Said(2, 0, 0, 0),
            Said(3, 48, 4, 1),
            Said(4, 0, 0, 0),
        ]
        assert made.read(lambda core: core.input_seq) == seq + 3
        assert said(await made.submit(buy(2, "b"))) == [Said(0, 165, 28, 1)]
        made.hooks.remove(first)
        assert said(await made.submit(buy(2, "b"))) == [Said(0, 0, 0, 0)]


def raises(record: bytes) -> bytes:
    raise ValueError("a plugin's bug")


def slow(record: bytes) -> None:
    time.sleep(0.02)


def nonsense(record: bytes) -> bytes:
    return record[: INPUT_HEADER.size] + bytes(8) + record[INPUT_HEADER.size + 8 :]


def not_bytes(record: bytes) -> bytes:
    return "yes"  # type: ignore[return-value]


@pytest.mark.parametrize("hook", [raises, slow, nonsense, not_bytes])
@pytest.mark.parametrize("policy", ["refuse", "skip"])
async def test_a_failing_hook_does_as_registered(
    hook: Hook, policy: Literal["refuse", "skip"], caplog: pytest.LogCaptureFixture
) -> None:
    async with await Shard.in_memory() as made:
        await made.submit(opening(1, money=UNIT))
        made_hook = made.hooks.register(
            "theirs", hook, kinds=[BALANCE], on_failure=policy, budget_s=0.01
        )
        answer = said(await made.submit(deposit(1)))
        assert answer == [Said(0, 1013, 0, 1) if policy == "refuse" else Said(0, 0, 0, 0)]
        assert await balance(made) == (UNIT if policy == "refuse" else 2 * UNIT)
        assert made_hook.failures == 1
        assert "hook theirs failed" in caplog.text
