"""One batch through hooks, admission, journal and core: what is numbered, journaled and cut how."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.load import buy, close_all, command, deposit, opening, quote
from benchmarks.plain_journal import payloads
from tests.engine.said import StepClock, said
from tradeloom._core import Core
from tradeloom.engine.frames import count, walk
from tradeloom.engine.hooks import Hooks, Refuse
from tradeloom.engine.journal import JournalUnavailable, MemoryJournal
from tradeloom.engine.limits import RECORD_BYTES_MAX
from tradeloom.engine.local import LocalShard, Storage, open_local
from tradeloom.engine.pipeline import Outcome, Pipeline
from tradeloom.engine.records import INPUT_HEADER
from tradeloom.engine.results import RESULT
from tradeloom.engine.results import walk as answers_in

STEPS = [
    *(command("OpenAccount", account, "o") for account in (20, 21)),
    *(deposit(account, "d") for account in (1, 20, 21, 99)),
    *(buy(account) for account in (1, 2, 20)),
    close_all(1, "c"),
    quote(110_050, 110_053),
    quote(5, 4),
    command("CloseAccount", 21),
]


def pipeline(hooks: Hooks | None = None) -> Pipeline:
    made = Pipeline(Core(), MemoryJournal(), hooks or Hooks(), StepClock())
    run(made, opening(2))
    return made


def run(made: Pipeline, *submissions: bytes) -> Outcome:
    return made.run(submissions, [count(each) for each in submissions])


def numbers(packed: bytes) -> list[int]:
    return [int(row["index"]) for row in np.frombuffer(packed, RESULT)]


@settings(max_examples=200)
@given(st.lists(st.lists(st.sampled_from(STEPS), min_size=1, max_size=8), min_size=1, max_size=8))
def test_a_batch_is_what_its_inputs_are_one_by_one(given_: list[list[bytes]]) -> None:
    """Same answers and same events as if every input had been a batch of its own."""
    whole, single = pipeline(), pipeline()
    outcome = run(whole, *[b"".join(each) for each in given_])
    expected = [[run(single, step).answers[0] for step in each] for each in given_]
    for found, each in zip(outcome.answers, expected, strict=True):
        codes = [(row.code, row.field, row.flags) for row in said(found)]
        assert codes == [(r.code, r.field, r.flags) for one in each for r in said(one)]
    assert whole.core.input_seq == single.core.input_seq
    assert whole.core.event_seq == single.core.event_seq


def test_results_among_the_events_have_the_index_of_the_batch() -> None:
    made = pipeline()
    outcome = run(made, deposit(99) + command("OpenAccount", 30), deposit(30) + deposit(98), buy(1))
    assert numbers(answers_in(outcome.events)) == [1, 2, 4]
    assert [numbers(each) for each in outcome.answers] == [[0, 1], [0, 1], [0]]


def test_the_same_with_hooks_that_refuse() -> None:
    hooks = Hooks()
    made = pipeline(hooks)
    kind = INPUT_HEADER.unpack_from(buy(1))[1]
    hooks.register("never", lambda _: Refuse(8), kinds=[kind], on_failure="refuse")
    outcome = run(made, buy(1) + command("OpenAccount", 30), deposit(30), buy(1) + deposit(1))
    assert numbers(answers_in(outcome.events)) == [1, 2, 4]
    assert [[row.code for row in said(each)] for each in outcome.answers] == [[8, 0], [0], [8, 0]]


def test_refused_inputs_and_repeats_are_not_journaled(tmp_path: Path) -> None:
    storage = Storage(snapshots=False)
    with LocalShard(open_local(tmp_path, storage=storage)) as made:
        made.write(opening(2))
        made.write(deposit(1, "a"))
        durable = made._opened.journal.durable
        assert [row.flags for row in said(made.write(deposit(1, "a")).answers[0])] == [2]
        assert [row.flags for row in said(made.write(deposit(9, "a")).answers[0])] == [1]
        assert made._opened.journal.durable == durable
        mixed = deposit(9) + deposit(2, "b") + deposit(1, "a") + quote(9, 8) + quote(9, 10)
        assert [row.index for row in said(made.write(mixed).answers[0])] == [0, 1, 2, 3]
        assert made._opened.journal.durable == durable + 1
    last = list(payloads(tmp_path))[-1]
    assert len(walk(last)) == 2
    assert deposit(2, "b")[16:] in last
    assert quote(9, 10)[16:] in last


def test_a_batch_larger_than_a_segment_is_several_records(tmp_path: Path) -> None:
    storage = Storage(snapshots=False, segment_bytes=16 << 10)
    with LocalShard(open_local(tmp_path, storage=storage)) as made:
        made.write(opening(2))
        outcome = made.write(deposit(1) * 1000 + deposit(77) + deposit(2) * 1000)
        found = said(outcome.answers[0])
        assert [row.index for row in found] == list(range(2001))
        assert [row.index for row in found if row.code] == [1000]
        expected = [n for n in range(2001) if n != 1000]
        assert numbers(answers_in(outcome.events)) == expected
        before = made.core.state_hash()
    opened = open_local(tmp_path, storage=storage)
    assert opened.core.state_hash() == before
    opened.close()


@pytest.mark.parametrize("size", [RECORD_BYTES_MAX, RECORD_BYTES_MAX - 8])
def test_one_record_too_large_for_a_segment_changes_nothing(tmp_path: Path, size: int) -> None:
    storage = Storage(snapshots=False, segment_bytes=16 << 10)
    with LocalShard(open_local(tmp_path, storage=storage)) as made:
        made.write(opening(1))
        before = made.core.state_hash()
        record = opening(0)
        first = record[: int.from_bytes(record[:4], "little")]
        body = first[56:].rstrip(b"\0").replace(b"EUR", b"GBP")
        long = size.to_bytes(4, "little") + first[4:56] + body + b" " * (size - 56 - len(body))
        with pytest.raises(JournalUnavailable, match="a record cannot have"):
            made.write(long)
        assert made.core.state_hash() == before
