"""The core against the oracle: same inputs, same events, same ledger, same state hash."""

from __future__ import annotations

import os
import random
import time

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.core.duel import Duel, run_seed
from tests.core.inputs import Inputs
from tests.core.world import opening
from tests.oracle import codes
from tests.oracle.wire import EVENTS, INPUTS, LETTERS, decode_inputs, encode
from tradeloom import _core

SOAK_MINUTES = float(os.environ.get("TRADELOOM_SOAK_MINUTES", "10"))
STRUCT_LETTERS = LETTERS | {"i128": "n", "Id": "s"}


def test_layouts_are_those_the_oracle_reads() -> None:
    ours = {
        ("input", layout.kind): [(name, STRUCT_LETTERS[kind]) for name, kind in layout.fields]
        for layout in INPUTS.values()
    }
    ours |= {
        ("event", layout.kind): [(name, STRUCT_LETTERS[kind]) for name, kind in layout.fields]
        for layout in EVENTS.values()
    }
    assert _layouts_of_the_core() == ours


def _layouts_of_the_core() -> dict[tuple[str, int], list[tuple[str, str]]]:
    found = {}
    tables = _core.layouts()
    for side, records in (("input", tables["inputs"]), ("event", tables["events"])):
        for table in records.values():
            fields = [(str(name), str(letter)) for name, letter in table["fields"]]
            found[side, int(table["kind"])] = fields
    return found


def test_codes_are_those_the_oracle_uses() -> None:
    for name, numbers in _core.codes().items():
        ours = getattr(codes, name)
        assert {int(item) for item in ours} == set(numbers.values()), name


@pytest.mark.parametrize("seed", range(12))
def test_random_runs(seed: int) -> None:
    run_seed(seed, 700)


@pytest.mark.parametrize("seed", range(12))
def test_random_runs_with_stop_outs(seed: int) -> None:
    run_seed(seed, 700, wild=True)


@pytest.mark.soak
def test_random_runs_for_minutes() -> None:
    end = time.monotonic() + 60 * SOAK_MINUTES
    seed = random.SystemRandom().randrange(10**9)
    while time.monotonic() < end:
        run_seed(seed, 3_000, wild=seed % 2 == 0)
        seed += 1


@pytest.mark.parametrize("seed", range(4))
def test_damaged_bytes_are_answered_alike(seed: int) -> None:
    source = random.Random(seed)
    duel = Duel(opening())
    records = run_seed(seed + 1_000, 60).records
    for _ in range(400):
        batch = bytearray(b"".join(encode(source.choice(records)) for _ in range(3)))
        for _ in range(source.randint(1, 3)):
            batch[source.randrange(len(batch))] = source.choice([0, 1, 255, source.randrange(256)])
        if source.random() < 0.2:
            del batch[source.randrange(len(batch)) :]
        duel.apply_bytes(bytes(batch))
    assert list(decode_inputs(b"")) == []


class Drawn:
    """Choices from hypothesis."""

    def __init__(self, data: st.DataObject) -> None:
        self.data = data

    def between(self, low: int, high: int) -> int:
        return int(self.data.draw(st.integers(low, high)))


class Differential(RuleBasedStateMachine):
    """Every kind of input is a rule; hypothesis shrinks a difference to few inputs."""

    def __init__(self) -> None:
        super().__init__()
        self.duel = Duel()

    @initialize()
    def open_the_world(self) -> None:
        for record in opening():
            self.duel.apply(record)

    def _apply(self, data: st.DataObject, kind: str) -> None:
        inputs = Inputs(Drawn(data), self.duel.oracle.state)
        self.duel.apply(getattr(inputs, kind)())

    @rule(data=st.data())
    def quote(self, data: st.DataObject) -> None:
        self._apply(data, "quote")

    @rule(data=st.data())
    def place(self, data: st.DataObject) -> None:
        self._apply(data, "place")

    @rule(data=st.data(), kind=st.sampled_from(["close", "place_close", "close_by", "close_all"]))
    def close(self, data: st.DataObject, kind: str) -> None:
        self._apply(data, kind)

    @rule(data=st.data(), kind=st.sampled_from(["modify_order", "modify_position", "reverse"]))
    def change(self, data: st.DataObject, kind: str) -> None:
        self._apply(data, kind)

    @rule(data=st.data(), kind=st.sampled_from(["cancel", "cancel_all", "report"]))
    def order(self, data: st.DataObject, kind: str) -> None:
        self._apply(data, kind)

    @rule(data=st.data(), kind=st.sampled_from(["balance", "account_command", "close_account"]))
    def account(self, data: st.DataObject, kind: str) -> None:
        self._apply(data, kind)

    @rule(data=st.data(), kind=st.sampled_from(["clock", "swap_day", "funding"]))
    def time(self, data: st.DataObject, kind: str) -> None:
        self._apply(data, kind)

    @rule(data=st.data(), kind=st.sampled_from(["trading_state", "resume", "define"]))
    def administration(self, data: st.DataObject, kind: str) -> None:
        self._apply(data, kind)

    @rule()
    def restart(self) -> None:
        self.duel.revive()

    @invariant()
    def core_is_sound(self) -> None:
        self.duel.core.check()


Differential.TestCase.settings = settings(
    max_examples=25,
    stateful_step_count=60,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
TestDifferential = Differential.TestCase
