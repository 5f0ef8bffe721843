"""Bytes from callers: counted, refused where they are not records, stamped and cut in batches."""

from __future__ import annotations

import random
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.load import buy, close_all, command, deposit, opening, quote
from tradeloom.engine.frames import CLOCK, Batch, MalformedInput, count, walk
from tradeloom.engine.limits import RECORD_BYTES_MAX
from tradeloom.engine.records import INPUT_HEADER

MIXED = [deposit(1), quote(10, 12), buy(2, "b"), CLOCK, close_all(3), *[deposit(4)] * 30]


def times(packed: bytes | bytearray) -> list[int]:
    return [INPUT_HEADER.unpack_from(packed, at)[3] for at in walk(packed)]


@pytest.mark.parametrize("packed", MIXED[:5])
def test_one_record(packed: bytes) -> None:
    assert count(packed) == 1


@given(st.lists(st.sampled_from(MIXED), min_size=1, max_size=60))
def test_many_records(records: list[bytes]) -> None:
    assert count(b"".join(records)) == len(records)


@given(st.lists(st.lists(st.sampled_from(MIXED), min_size=1, max_size=9), min_size=1, max_size=9))
def test_a_batch_keeps_order_and_stamps_everything(submissions: list[list[bytes]]) -> None:
    packed, counts = [b"".join(each) for each in submissions], [len(each) for each in submissions]
    batch = Batch(packed, counts)
    whole = b"".join(packed)
    assert batch.part(0, batch.size) == whole
    assert list(batch.offsets) == walk(whole)
    assert batch.starts == [sum(counts[:n]) for n in range(len(counts) + 1)]
    kinds = [INPUT_HEADER.unpack_from(whole, at)[1] for at in walk(whole)]
    assert batch.commands(0, batch.size) == sum(kind > 2 for kind in kinds)
    batch.stamp(77)
    assert times(batch.buffer) == [77] * batch.size
    half = batch.size // 2
    assert batch.part(0, half) + batch.part(half, batch.size) == bytes(batch.buffer)


@given(st.binary(max_size=200))
def test_random_bytes_are_refused_with_a_place(noise: bytes) -> None:
    whole = deposit(1) * 3 + noise
    refused = _refused(whole)
    if refused is None:
        assert count(whole) == len(walk(whole)) >= 3
    else:
        assert 3 * len(deposit(1)) <= refused.offset < len(whole)


def _refused(packed: bytes) -> MalformedInput | None:
    try:
        count(packed)
    except MalformedInput as refused:
        return refused
    return None


@pytest.mark.parametrize("records", [1, 3, 40])
def test_every_truncation_is_refused(records: int) -> None:
    whole = deposit(1) * records
    size = len(deposit(1))
    for cut in random.Random(1).sample(range(len(whole)), 60):
        if cut % size:
            with pytest.raises(MalformedInput) as refused:
                count(whole[:cut])
            assert refused.value.offset == cut // size * size


@pytest.mark.parametrize(
    ("at", "form", "value"),
    [(0, "<I", 0), (0, "<I", 81), (0, "<I", RECORD_BYTES_MAX + 8), (0, "<I", 48), (6, "<H", 1)],
)
@pytest.mark.parametrize("records", [1, 40])
def test_headers_the_core_would_not_read(at: int, form: str, value: int, records: int) -> None:
    whole = bytearray(deposit(1) * records)
    place = (records - 1) * len(deposit(1))
    struct.pack_into(form, whole, place + at, value)
    with pytest.raises(MalformedInput) as refused:
        count(bytes(whole))
    assert refused.value.offset == place


def test_nothing_is_malformed() -> None:
    with pytest.raises(MalformedInput):
        count(b"")


def test_a_batch_is_cut_only_behind_administration() -> None:
    open_account = command("OpenAccount", 5)
    batch = Batch([deposit(9), open_account, deposit(5), deposit(9)], [1, 1, 1, 1])
    assert batch.cut(0, 4, np.array([0, 2, 3])) == 2
    assert batch.cut(2, 4, np.array([3])) is None
    assert batch.cut(0, 4, np.array([0, 1])) is None
    assert count(opening(3)) == 11


@given(st.lists(st.sampled_from(MIXED), min_size=1, max_size=60), st.integers(1, 900))
def test_pieces_fit_or_are_one_record(records: list[bytes], size: int) -> None:
    batch = Batch(records, [1] * len(records))
    first, pieces = 0, []
    while first < batch.size:
        end = batch.fitting(first, size)
        pieces.append(batch.part(first, end))
        assert len(pieces[-1]) <= size or end == first + 1
        if end < batch.size:
            assert len(batch.part(first, end + 1)) > size
        first = end
    assert b"".join(pieces) == b"".join(records)
