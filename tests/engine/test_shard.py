"""The shard loop as its callers see it: answers, order, time, bounds, and coming back."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import numpy as np
import pytest

from benchmarks.load import UNIT, buy, close_all, command, deposit, opening, quote
from tests.engine.said import Said, StepClock, said
from tradeloom._core import Core
from tradeloom.engine import intake_queue, shard
from tradeloom.engine.frames import MalformedInput
from tradeloom.engine.journal import Disk
from tradeloom.engine.limits import BATCH_INPUTS_MAX, QUEUE_INPUTS_MAX, SUBMIT_BYTES_MAX
from tradeloom.engine.local import Storage
from tradeloom.engine.records import EVENT_HEADER
from tradeloom.engine.shard import Shard, ShardClosed

OK = Said(0, 0, 0, 0)
REFUSED, REPEAT = 1, 2


@pytest.fixture
async def memory() -> AsyncIterator[Shard]:
    async with await Shard.in_memory(clock=StepClock(), clock_every_s=0) as made:
        await made.submit(opening(8))
        yield made


def balance(made: Shard, account: int) -> int:
    def look(core: Core) -> int:
        row = core.account(account)
        assert row is not None
        found = row["balance"]
        assert isinstance(found, int)
        return found

    return made.read(look)


async def test_an_answer_says_what_became_of_each_command(memory: Shard) -> None:
    packed = deposit(1, "a") + quote(110_000, 110_004) + deposit(99, "b") + buy(2, "c")
    assert said(await memory.submit(packed)) == [OK, Said(2, 48, 4, REFUSED), Said(3, 0, 0, 0)]
    assert said(await memory.submit(deposit(1, "a"))) == [Said(0, 0, 0, REPEAT)]
    assert said(await memory.submit(deposit(1, "a", 2 * UNIT))) == [Said(0, 1000, 2, REFUSED)]
    assert balance(memory, 1) == 10_001 * UNIT


async def test_many_callers_get_their_own_answers(memory: Shard) -> None:
    async def caller(account: int) -> None:
        for step in range(30):
            wrong = step % 7 == account % 7
            name = f"{account}-{step}"
            answer = await memory.submit(deposit(99 if wrong else account, name) + buy(account))
            expected = Said(0, 48, 4, REFUSED) if wrong else OK
            assert said(answer) == [expected, Said(1, 0, 0, 0)]

    await asyncio.gather(*(caller(account) for account in range(1, 9)))
    good = sum(step % 7 != 1 for step in range(30))
    assert balance(memory, 1) == (10_000 + good) * UNIT


async def test_what_a_batch_makes_it_may_use(memory: Shard) -> None:
    made = [command("OpenAccount", 50, "o"), deposit(50, "d", 9_000 * UNIT), buy(50, "b")]
    answers = await memory.execute_many(made)
    assert [said(answer) for answer in answers] == [[OK], [OK], [OK]]
    together = await memory.submit(
        command("OpenAccount", 51, "o") + deposit(51, "d") + deposit(52, "d")
    )
    assert said(together) == [OK, Said(1, 0, 0, 0), Said(2, 48, 4, REFUSED)]


async def test_a_submission_stays_together_and_in_order(memory: Shard) -> None:
    """Every caller buys and closes: with its own position only, whatever the others do."""

    async def caller(account: int) -> None:
        for _ in range(20):
            answer = await memory.submit(buy(account) + close_all(account))
            found = [row.code for row in said(answer)]
            assert found == [0, 0]

    await asyncio.gather(*(caller(account) for account in range(1, 9)))
    assert memory.read(lambda core: [core.positions(n) for n in range(1, 9)]) == [b""] * 8


async def test_large_batches_are_split(memory: Shard) -> None:
    many = BATCH_INPUTS_MAX * 2 + 100
    answers = await memory.execute_many([deposit(1 + n % 8) for n in range(many)])
    assert len(answers) == many
    assert set(answers[0][6:8]) == {0}
    whole = np.frombuffer(b"".join(answers), np.uint8)
    assert whole.size == many * 88
    paid = sum(balance(memory, account) for account in range(1, 9))
    assert paid == (8 * 10_000 + many) * UNIT


async def test_malformed_bytes_are_refused_with_a_place(memory: Shard) -> None:
    before = memory.read(lambda core: core.state_hash())
    for packed, offset in [(b"", 0), (b"x" * 50, 0), (deposit(1) + b"y" * 7, len(deposit(1)))]:
        with pytest.raises(MalformedInput) as refused:
            memory.submit(packed)
        assert refused.value.offset == offset
    with pytest.raises(MalformedInput):
        memory.submit(deposit(1) * (SUBMIT_BYTES_MAX // len(deposit(1)) + 1))
    for packed in (deposit(1), quote(1, 2) * 2, quote(1, 2)[:-8]):
        with pytest.raises(MalformedInput):
            memory.quote(packed)
    assert memory.read(lambda core: core.state_hash()) == before


async def test_time_never_runs_backwards() -> None:
    clock = StepClock()
    async with await Shard.in_memory(clock=clock, clock_every_s=0) as made:
        await made.submit(opening(1))
        latest = made.read(lambda core: core.now)
        assert latest == clock.now
        clock.now -= 3600 * 10**9
        assert said(await made.submit(deposit(1))) == [OK]
        assert made.read(lambda core: core.now) == latest


async def test_a_callers_own_time_is_kept_on_request() -> None:
    async with await Shard.in_memory(keep_ts=True) as made:

        def at(ts: int, packed: bytes) -> bytes:
            return packed[:8] + ts.to_bytes(8, "little") + packed[16:]

        record = command("DefineCurrency", 0)
        currency = opening(0)[: int.from_bytes(opening(0)[:4], "little")]
        assert len(record) < len(currency)
        assert said(await made.submit(at(500, currency))) == [OK]
        assert made.read(lambda core: core.now) == 500
        late = at(499, currency)
        assert [row.code for row in said(await made.submit(late))] == [1002]


async def test_an_idle_shard_lets_time_pass() -> None:
    clock = StepClock()
    async with await Shard.in_memory(clock=clock, clock_every_s=0.01) as made:
        before = made.read(lambda core: core.now)
        await asyncio.sleep(0.2)
        assert made.read(lambda core: core.now) > before


async def test_subscribers_see_every_event_once_and_in_order(memory: Shard) -> None:
    seen: list[int] = []

    def listen(events: bytes) -> None:
        at = 0
        while at < len(events):
            length, _, _, seq, _, _ = EVENT_HEADER.unpack_from(events, at)
            seen.append(seq)
            at += length

    def broken(_: bytes) -> None:
        raise ValueError("a subscriber of a user")

    first = memory.read(lambda core: core.event_seq)
    memory.subscribe(broken)
    stop = memory.subscribe(listen)
    await memory.execute_many([buy(1 + n % 8) for n in range(300)])
    last = memory.read(lambda core: core.event_seq)
    assert seen == list(range(first + 1, last + 1))
    stop()
    stop()
    await memory.submit(deposit(1))
    assert len(seen) == last - first


class SlowCore:
    """A core that waits for permission before it applies, so that a queue builds up behind it."""

    def __init__(self, core: Core) -> None:
        self.core = core
        self.go = threading.Event()

    def __getattr__(self, name: str) -> object:
        return getattr(self.core, name)

    def apply(self, batch: bytes) -> bytes:
        assert self.go.wait(30)
        return self.core.apply(batch)


async def stuck(made: Shard) -> tuple[SlowCore, asyncio.Future[list[bytes]]]:
    """Make the shard's journal thread wait inside a batch."""
    slow = SlowCore(made._pipeline.core)
    made._pipeline.core = slow  # type: ignore[assignment]
    first = asyncio.ensure_future(made.execute_many([deposit(1), deposit(2)]))
    while made.waiting or not made._running:
        await asyncio.sleep(0)
    return slow, first


async def test_a_full_queue_says_busy(memory: Shard) -> None:
    slow, first = await stuck(memory)
    piece = deposit(1) * 1000
    waiting = [memory.submit(piece) for _ in range(QUEUE_INPUTS_MAX // 1000)]
    assert not any(future.done() for future in waiting)
    refused = memory.submit(piece)
    assert refused.done()
    assert {(row.code, row.flags) for row in said(refused.result())} == {(1013, REFUSED)}
    slow.go.set()
    for answer in await asyncio.gather(*waiting):
        assert len(answer) == 1000 * 88
    await first
    expected = 10_000 + 1 + QUEUE_INPUTS_MAX // 1000 * 1000
    assert balance(memory, 1) == expected * UNIT


async def test_quotes_are_conflated_before_commands_wait(
    memory: Shard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake_queue, "QUOTES_WAITING_MAX", 10)
    slow, first = await stuck(memory)
    before = memory._pipeline.core.input_seq
    for step in range(100):
        assert memory.quote(quote(110_000 + step, 110_002 + step))
    order = memory.submit(buy(3))
    slow.go.set()
    assert said(await order) == [OK]
    await first
    assert memory.read(lambda core: core.quote(0))[:2] == (110_099, 110_101)
    # The two deposits of `stuck`, one quote, the order.
    assert memory.read(lambda core: core.input_seq) == before + 2 + 1 + 1


async def test_quotes_of_too_many_instruments_are_dropped(
    memory: Shard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake_queue, "QUOTES_WAITING_MAX", 4)
    monkeypatch.setattr(intake_queue, "QUOTE_INSTRUMENTS_MAX", 6)
    slow, first = await stuck(memory)
    taken = [memory.quote(quote(1, 2, instrument)) for instrument in range(9)]
    assert taken == [True] * 6 + [False] * 3
    slow.go.set()
    await first


async def test_closing_answers_what_waits_and_takes_no_more(memory: Shard) -> None:
    waiting = [memory.submit(deposit(1, f"w{n}")) for n in range(500)]
    await memory.close()
    assert all(said(future.result()) == [OK] for future in waiting)
    with pytest.raises(ShardClosed):
        memory.submit(deposit(1))
    with pytest.raises(ShardClosed):
        memory.quote(quote(1, 2))


async def test_a_caller_that_gave_up_changes_nothing_for_the_others(memory: Shard) -> None:
    futures = [memory.submit(deposit(1, f"g{n}")) for n in range(10)]
    futures[3].cancel()
    done = await asyncio.gather(*futures, return_exceptions=True)
    assert [said(each) for each in done if isinstance(each, bytes)] == [[OK]] * 9
    assert balance(memory, 1) == 10_010 * UNIT


async def test_everything_is_there_after_a_restart(tmp_path: Path) -> None:
    async with await Shard.open(tmp_path) as made:
        assert made.durability == "local-fsync"
        await made.submit(opening(4))
        await made.execute_many([buy(1 + n % 4, f"n{n}") for n in range(200)])
        before = made.read(lambda core: core.state_hash())
    async with await Shard.open(tmp_path) as made:
        assert made.read(lambda core: core.state_hash()) == before
        assert made.opened is not None
        assert made.opened.recovered.inputs == 0, "the final snapshot covers everything"
        assert said(await made.submit(buy(1, "n0"))) == [Said(0, 0, 0, REPEAT)]


class SlowDisk(Disk):
    """Syncs when it is told to."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.go.set()
        self.syncing = threading.Event()

    def fdatasync(self, fd: int) -> None:
        self.syncing.set()
        assert self.go.wait(30)
        super().fdatasync(fd)


async def test_nothing_is_seen_before_it_is_durable(tmp_path: Path) -> None:
    disk = SlowDisk()
    storage = Storage(snapshots=False, disk=disk)
    async with await Shard.open(tmp_path, storage=storage, clock_every_s=0) as made:
        await made.submit(opening(2))
        events: list[bytes] = []
        made.subscribe(events.append)
        before = made.read(lambda core: core.state_hash())
        disk.go.clear()
        disk.syncing.clear()
        answers = [made.submit(deposit(1, "a")), made.submit(deposit(2, "b"))]
        while not disk.syncing.is_set():
            await asyncio.sleep(0.001)
        late = made.submit(deposit(1, "c"))
        await asyncio.sleep(0.02)
        assert made.read(lambda core: core.state_hash()) == before
        assert not any(future.done() for future in [*answers, late])
        assert events == []
        disk.go.set()
        assert [said(answer) for answer in await asyncio.gather(*answers, late)] == [[OK]] * 3
        assert balance(made, 1) == 10_002 * UNIT


@pytest.mark.parametrize("lone", [True, False], ids=["on the loop", "on the thread"])
async def test_both_ways_of_running_a_lone_command(
    tmp_path: Path, lone: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shard, "LONE_BATCH_S_MAX", 60.0 if lone else -1.0)
    threads: list[str] = []

    async with await Shard.open(tmp_path) as made:
        append: Callable[..., int] = made._journal.append

        def spy(*given: object) -> int:
            threads.append(threading.current_thread().name)
            return append(*given)

        made._journal.append = spy  # type: ignore[assignment, method-assign]
        await made.submit(opening(1))
        for step in range(5):
            assert said(await made.submit(deposit(1, f"s{step}"))) == [OK]
    main = threading.main_thread().name
    assert set(threads[-5:]) == {main if lone else "journal"}
