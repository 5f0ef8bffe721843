"""Answers find their way back to the submission they belong to."""

from __future__ import annotations

import random
import struct

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.load import command, deposit
from tradeloom.engine.frames import Batch, count
from tradeloom.engine.records import EVENT_HEADER
from tradeloom.engine.results import (
    RESULT,
    RESULT_BYTES,
    deal,
    indices,
    one_refusal,
    refuse,
    results,
    walk,
)


def other(body: bytes, kind: int = 4) -> bytes:
    """An event that is not a RESULT."""
    return EVENT_HEADER.pack(EVENT_HEADER.size + len(body), kind, 0, 1, 1, 1) + body


@settings(max_examples=500)
@given(st.integers(0, 2**32), st.integers(0, 60))
def test_the_search_finds_what_the_walk_finds(seed: int, number: int) -> None:
    chance = random.Random(seed)
    # What looks like the head of a RESULT may stand anywhere in another event.
    bait = struct.pack("<IHH", RESULT_BYTES, 1, 0)
    events = b""
    for index in range(number):
        if chance.random() < 0.7:
            words = [chance.choice([bait, chance.randbytes(8)]) for _ in range(chance.randrange(9))]
            events += other(b"".join(words))
        events += one_refusal(index, 5, 6, 7, b"id", 8)
    assert results(events, number).tobytes() == walk(events)
    assert results(events, max(0, number - 1)).tobytes() == walk(events)


@given(st.lists(st.integers(1, 9), min_size=1, max_size=9), st.integers(0, 2**32))
def test_answers_are_dealt_to_their_submissions(counts: list[int], seed: int) -> None:
    starts = Batch([deposit(n) * size for n, size in enumerate(counts)], counts).starts
    chance = random.Random(seed)
    order = list(range(starts[-1]))
    chance.shuffle(order)
    cut = chance.randrange(len(order) + 1)
    parts = [sorted(order[:cut]), sorted(order[cut:])]
    rows = [
        results(b"".join(one_refusal(i, i, 0, 0, b"", 0) for i in part), len(part))
        for part in parts
    ]
    for first, answer in zip(starts, deal(starts, rows), strict=False):
        found = np.frombuffer(answer, RESULT)
        assert found["index"].tolist() == list(range(len(found)))
        assert found["code"].tolist() == [first + n for n in range(len(found))]
    assert [len(answer) // RESULT_BYTES for answer in deal(starts, rows[:1] + rows[1:])] == counts


def test_a_refusal_names_account_and_id() -> None:
    packed = deposit(7, "abc") + command("CloseAccount", 8, "d")
    answers = np.frombuffer(refuse(packed, 1013, 2, 99), RESULT)
    assert answers["code"].tolist() == [1013, 1013]
    assert answers["field"].tolist() == [2, 2]
    assert answers["account"].tolist() == [7, 8]
    assert answers["id"].tolist() == [b"abc", b"d"]
    assert answers["flags"].tolist() == [1, 1]
    assert indices(answers.tobytes()).tolist() == [0, 1]
    assert count(packed) == 2
