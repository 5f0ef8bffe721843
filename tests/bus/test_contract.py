"""One suite for every bus: what one implementation promises, the other one keeps."""

from __future__ import annotations

import asyncio

import pytest

from tradeloom.bus import Bus, BusFull, Consumer
from tradeloom.bus.contract import order
from tradeloom.bus.limits import ENTRY_BYTES_MAX


async def _read(bus: Bus, stream: str, group: str, name: str, count: int = 100) -> list[bytes]:
    found = await bus.read(stream, group, name, count=count, wait_s=0)
    return [entry.data for entry in found]


async def test_every_group_gets_everything_and_each_consumer_a_part(bus: Bus, stream: str) -> None:
    await bus.join(stream, "one")
    await bus.join(stream, "two")
    ids = await bus.publish_many(stream, [b"%d" % n for n in range(6)])
    assert ids == sorted(ids, key=order)
    assert len(set(ids)) == 6
    first = await _read(bus, stream, "one", "a", 4)
    second = await _read(bus, stream, "one", "b", 4)
    assert (first, second) == ([b"0", b"1", b"2", b"3"], [b"4", b"5"])
    assert await _read(bus, stream, "two", "c") == first + second
    backlog = await bus.backlog(stream, "one")
    assert (backlog.lag, backlog.pending, backlog.consumers) == (0, 6, {"a": 4, "b": 2})


async def test_a_group_joins_at_the_oldest_or_the_newest(bus: Bus, stream: str) -> None:
    await bus.publish(stream, b"before")
    assert await bus.join(stream, "old")
    assert await bus.join(stream, "new", "newest")
    assert not await bus.join(stream, "new", "oldest")
    await bus.publish(stream, b"after")
    assert await _read(bus, stream, "old", "a") == [b"before", b"after"]
    assert await _read(bus, stream, "new", "a") == [b"after"]


async def test_a_read_waits_for_the_first_entry(bus: Bus, stream: str) -> None:
    await bus.join(stream, "g")
    assert await bus.read(stream, "g", "a", count=1, wait_s=0.02) == []
    reading = asyncio.create_task(bus.read(stream, "g", "a", count=9, wait_s=1.0))
    await asyncio.sleep(0.05)
    await bus.publish(stream, b"x")
    assert [entry.data for entry in await reading] == [b"x"]


async def test_what_is_not_acknowledged_is_delivered_again(bus: Bus, stream: str) -> None:
    await bus.publish_many(stream, [b"a", b"b", b"c"])
    first = await bus.read(stream, "g", "me", count=9, wait_s=0)
    assert [entry.deliveries for entry in first] == [1, 1, 1]
    assert await bus.acknowledge(stream, "g", [first[1].id]) == 1
    assert await bus.acknowledge(stream, "g", [first[1].id]) == 0
    waiting = await bus.waiting(stream, "g", "me", count=9)
    assert waiting == [(first[0].id, 1), (first[2].id, 1)]
    assert await bus.waiting(stream, "g", "me", count=9, after=first[0].id) == [(first[2].id, 1)]
    again = await bus.take(stream, "g", "me", [each.id for each in waiting])
    assert [(entry.data, entry.deliveries) for entry in again] == [(b"a", 2), (b"c", 2)]
    assert await bus.waiting(stream, "g", "other", count=9) == []


async def test_entries_of_the_dead_are_claimed_after_a_while(bus: Bus, stream: str) -> None:
    await bus.publish_many(stream, [b"a", b"b"])
    await bus.read(stream, "g", "dead", count=9, wait_s=0)
    assert await bus.claim(stream, "g", "heir", idle_s=60, count=9) == []
    await asyncio.sleep(0.03)
    ids = await bus.claim(stream, "g", "heir", idle_s=0.02, count=9)
    assert len(ids) == 2
    assert (await bus.backlog(stream, "g")).consumers == {"heir": 2}
    # Claiming delivers nothing yet, so it does not count.
    assert [each.deliveries for each in await bus.waiting(stream, "g", "heir", count=9)] == [1, 1]
    assert [entry.data for entry in await bus.take(stream, "g", "heir", ids)] == [b"a", b"b"]


async def test_a_dead_letter_is_acknowledged_and_kept(bus: Bus, stream: str) -> None:
    await bus.publish_many(stream, [b"good", b"bad"])
    entries = await bus.read(stream, "g", "me", count=9, wait_s=0)
    await bus.bury(stream, "g", entries[1], "cannot be read")
    assert (await bus.backlog(stream, "g")).pending == 1
    assert await bus.buried(stream) == [(entries[1].id, b"bad", "g", "cannot be read")]


async def test_trimming_spares_what_a_durable_group_needs(bus: Bus, stream: str) -> None:
    await bus.join(stream, "slow")
    await bus.publish_many(stream, [b"%d" % n for n in range(10)])

    async def trimmed(length_max: int = 1_000) -> tuple[int, int, str]:
        await asyncio.sleep(0.003)
        found = await bus.trim(stream, keep_s=0, durable=["slow"], length_max=length_max)
        return (*found, found.reason)

    assert await trimmed() == (0, 0, "none")
    entries = await bus.read(stream, "slow", "me", count=6, wait_s=0)
    assert await trimmed() == (0, 0, "none")
    await bus.acknowledge(stream, "slow", [entry.id for entry in entries[:4]])
    assert await trimmed() == (4, 0, "read")
    # Past the hard bound entries go whether they were read or not, and that has a name.
    assert await trimmed(3) == (0, 3, "full")
    assert await bus.length(stream) == 3
    assert await bus.take(stream, "slow", "me", [entry.id for entry in entries]) == []
    assert await _read(bus, stream, "slow", "me") == [b"7", b"8", b"9"]


async def test_nothing_is_trimmed_for_a_group_that_is_still_to_come(bus: Bus, stream: str) -> None:
    await bus.publish_many(stream, [b"a", b"b"])
    await asyncio.sleep(0.003)
    assert (await bus.trim(stream, keep_s=0, durable=["later"], length_max=99)).reason == "none"
    assert await _read(bus, stream, "later", "me") == [b"a", b"b"]


async def test_an_entry_beyond_all_measure_is_refused(bus: Bus, stream: str) -> None:
    with pytest.raises(BusFull, match="larger than"):
        await bus.publish(stream, bytes(ENTRY_BYTES_MAX + 1))
    assert await bus.length(stream) == 0


async def test_a_consumer_finds_what_it_had_in_hand_before_a_crash(bus: Bus, stream: str) -> None:
    await bus.publish_many(stream, [b"a", b"b", b"c"])
    before = Consumer(bus, stream, "g", "me", count=2)
    assert [entry.data for entry in (await before.next(0)).entries] == [b"a", b"b"]
    after = Consumer(bus, stream, "g", "me", count=2)
    again = await after.next(0)
    assert ([entry.data for entry in again.entries], again.careful) == ([b"a", b"b"], False)
    assert (after.health.redelivered, after.in_hand) == (2, 2)
    await after.done(again.entries)
    last = await after.next(0)
    assert [entry.data for entry in last.entries] == [b"c"]
    await after.done(last.entries)
    assert (after.in_hand, (await bus.backlog(stream, "g")).pending) == (0, 0)


async def test_a_consumer_takes_over_from_the_dead(bus: Bus, stream: str) -> None:
    await bus.publish_many(stream, [b"a", b"b"])
    await Consumer(bus, stream, "g", "dead").next(0)
    heir = Consumer(bus, stream, "g", "heir", idle_s=0.02, claim_every_s=0)
    assert (await heir.next(0)).entries == []
    await asyncio.sleep(0.04)
    found = await heir.next(0)
    assert [entry.data for entry in found.entries] == [b"a", b"b"]
    assert heir.health.claimed == 2


async def test_a_consumer_with_entries_in_hand_claims_nothing(bus: Bus, stream: str) -> None:
    await bus.publish_many(stream, [b"a", b"b"])
    mine = Consumer(bus, stream, "g", "me", count=1, idle_s=0.01, claim_every_s=0)
    held = await mine.next(0)
    await Consumer(bus, stream, "g", "other").next(0)
    await asyncio.sleep(0.03)
    assert (await mine.next(0)).entries == []
    await mine.done(held.entries)
    assert [entry.data for entry in (await mine.next(0)).entries] == [b"b"]


async def test_poison_is_buried_and_its_neighbours_are_not(bus: Bus, stream: str) -> None:
    await bus.publish_many(stream, [b"a", b"poison", b"c"])
    handled: list[bytes] = []
    crashes = 0

    async def live() -> None:
        """A process that dies of poison, as often as it is started."""
        consumer = Consumer(bus, stream, "g", "me", deliveries_max=4)
        while delivery := (await consumer.next(0)).entries:
            if any(entry.data == b"poison" for entry in delivery):
                raise SystemError
            handled.extend(entry.data for entry in delivery)
            await consumer.done(delivery)

    while True:
        try:
            await live()
            break
        except SystemError:
            crashes += 1
    assert crashes == 4
    assert sorted(handled) == [b"a", b"c"]
    assert [letter.data for letter in await bus.buried(stream)] == [b"poison"]
    assert (await bus.backlog(stream, "g")).pending == 0
