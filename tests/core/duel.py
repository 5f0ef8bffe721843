"""Drives the core and the oracle with the same inputs, and shrinks what tells them apart."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable
from dataclasses import dataclass

from tests.core.inputs import Inputs
from tests.core.world import opening
from tests.oracle import EventRecord, InputRecord, Oracle, decode_events, encode
from tests.oracle.wire import decode_records
from tradeloom import _core


class DifferenceError(AssertionError):
    """The core and the oracle do not agree; the text shows where."""


class Duel:
    """One core and one oracle in step."""

    def __init__(self, records: Iterable[InputRecord] = ()) -> None:
        self.core = _core.Core(0)
        self.oracle = Oracle(0)
        self.records: list[InputRecord] = []
        for record in records:
            self.apply(record)

    def apply(self, record: InputRecord) -> list[EventRecord]:
        """Applies one input to both and compares events, state hash and invariants."""
        self.records.append(record)
        expected = self.oracle.apply([record])
        try:
            found = decode_events(self.core.apply(encode(record)))
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # a panic is no Exception
            raise DifferenceError(f"the core fails: {error!r}") from None
        if found != expected:
            raise DifferenceError(_events(expected, found))
        if bytes(self.core.state_hash()) != self.oracle.digest():
            raise DifferenceError(f"the state hashes differ:\n{self.states()}")
        self.oracle.check()
        return expected

    def states(self) -> str:
        """What both hold for every account that has something open, side by side."""
        lines = []
        state = self.oracle.state
        for account in state.accounts.values():
            held = (
                ("Position", self.core.positions(account.id), state.positions_of(account.id)),
                ("Order", self.core.orders(account.id), state.orders_of(account.id)),
            )
            if any(packed or ours for _, packed, ours in held):
                shown = {
                    key: value
                    for key, value in dict(self.core.account(account.id) or {}).items()
                    if value
                }
                lines += [f"  core   account {shown}", f"  oracle {account}"]
            for name, packed, ours in held:
                lines += [f"    core   {record}" for record in decode_records(name, packed)]
                lines += [f"    oracle {item}" for item in ours]
        return "\n".join(lines)

    def apply_bytes(self, batch: bytes) -> None:
        """The same for bytes that need not be well-formed."""
        expected = self.oracle.apply_bytes(batch)
        found = decode_events(self.core.apply(batch))
        if found != expected:
            raise DifferenceError(f"{batch.hex()}\n{_events(expected, found)}")
        if bytes(self.core.state_hash()) != self.oracle.digest():
            raise DifferenceError(f"{batch.hex()}\nthe state hashes differ")

    def revive(self) -> None:
        """Replaces the core by what its snapshot restores."""
        self.core.check()
        self.core = _core.Core.restore(self.core.snapshot())
        if bytes(self.core.state_hash()) != self.oracle.digest():
            raise DifferenceError("the state hash differs after a restore")


def _events(expected: list[EventRecord], found: list[EventRecord]) -> str:
    lines = []
    for number in range(max(len(expected), len(found))):
        mine = str(expected[number]) if number < len(expected) else "nothing"
        theirs = str(found[number]) if number < len(found) else "nothing"
        if mine == theirs:
            lines.append(f"  same     {mine}")
        else:
            lines += [f"  expected {mine}", f"  found    {theirs}"]
    return "events differ:\n" + "\n".join(lines)


@dataclass
class Seeded:
    """Choices from a seed."""

    source: random.Random

    def between(self, low: int, high: int) -> int:
        return self.source.randint(low, high)


def run_seed(seed: int, steps: int, *, wild: bool = False) -> Duel:
    """A random run; a difference is shrunk to a short list of inputs."""
    duel = Duel()
    chooser = Seeded(random.Random(seed))
    inputs = Inputs(chooser, duel.oracle.state, wild=wild)
    try:
        for record in opening(10 if wild else 1):
            duel.apply(record)
        for step in range(steps):
            duel.apply(inputs.next())
            if step % 97 == 96:
                duel.revive()
    except Exception as error:
        raise DifferenceError(shrunk(duel.records, f"seed {seed}: {error}")) from None
    return duel


def outcome(records: list[InputRecord]) -> str | None:
    """What goes wrong with these inputs, if anything."""
    duel = Duel()
    try:
        for number, record in enumerate(records):
            duel.apply(record)
            if number % 20 == 19:
                duel.revive()
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return None


def _family(text: str | None) -> str | None:
    """Differences of one family are taken to have one cause: same events, same fields."""
    if text is None or "events differ" not in text:
        return None if text is None else text[:40]
    pairs = re.findall(r"expected (\w+)(.*)\n\s+found +(\w+)(.*)", text)[:1]
    return str([(mine, theirs, _fields(a) ^ _fields(b)) for mine, a, theirs, b in pairs])


def _fields(shown: str) -> frozenset[str]:
    return frozenset(re.findall(r"'(\w+)': (?:code|field|\d|-)", shown)) | frozenset(
        re.findall(r"'(?:code|field)': \d+", shown)
    )


def shrunk(records: list[InputRecord], first: str, attempts: int = 1500) -> str:
    """The shortest list of inputs found that still goes wrong, as text."""
    wanted = outcome(records)
    if wanted is None:
        return f"{first}\n(only with the snapshots of the run)"
    size = max(len(records) // 2, 1)
    while size and attempts > 0:
        at = 0
        while at < len(records) and attempts > 0:
            shorter = records[:at] + records[at + size :]
            attempts -= 1
            found = outcome(shorter)
            if found is not None and _family(found) == _family(wanted):
                records, wanted = shorter, found
            else:
                at += size
        size //= 2
    lines = "\n".join(f"  {record}" for record in records)
    return f"{first}\n--- shrunk to {len(records)} inputs ---\n{lines}\n{wanted}"
