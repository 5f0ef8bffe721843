"""Hooks: look at a command before it is journaled, and enrich or refuse it.

What a hook changed is journaled with the command, so replay never calls a hook. A hook that raises,
exceeds its time budget or answers nonsense is reported, and the command is refused or goes on
unchanged, as the hook was registered. It never takes the engine down.

A hook should depend on the command alone: the core remembers the enriched command, and a repeat
that comes out different is a DUPLICATE_ID.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, Literal

from .frames import Batch
from .limits import HOOK_BUDGET_S
from .records import COMMAND_HEADER, INPUT_HEADER
from .results import one_refusal

log = logging.getLogger(__name__)

# A hook that failed cannot judge the command; the caller may try again.
_BUSY: Final = 1013
# Length, kind, flags, (time,) account and id must stay: a hook changes what is asked, not who asks.
_COMMAND: Final = INPUT_HEADER.size + COMMAND_HEADER.size


@dataclass(frozen=True, slots=True)
class Refuse:
    """A hook's refusal: a return code number and the number of the field it is about."""

    code: int
    field: int = 0


Hook = Callable[[bytes], "bytes | Refuse | None"]


@dataclass(slots=True)
class Registration:
    """A hook, the command kinds it sees, how it is treated, and how often it failed."""

    name: str
    hook: Hook
    kinds: frozenset[int]
    on_failure: Literal["refuse", "skip"]
    budget_s: float
    failures: int = 0


class Hooks:
    """The hooks of a shard, called in the order they were registered."""

    def __init__(self) -> None:
        self._hooks: list[Registration] = []
        self._by_kind: dict[int, list[Registration]] = {}

    def register(
        self,
        name: str,
        hook: Hook,
        *,
        kinds: Iterable[int],
        on_failure: Literal["refuse", "skip"],
        budget_s: float = HOOK_BUDGET_S,
    ) -> Registration:
        """Call `hook` with every command record of these kinds.

        It returns None to let the command pass, new record bytes of the same kind, account and id
        to change it, or `Refuse`.
        """
        made = Registration(name, hook, frozenset(kinds), on_failure, budget_s)
        self._hooks.append(made)
        for kind in made.kinds:
            self._by_kind.setdefault(kind, []).append(made)
        return made

    def remove(self, registration: Registration) -> None:
        """Call this hook no more."""
        self._hooks.remove(registration)
        for kind in registration.kinds:
            self._by_kind[kind].remove(registration)

    @property
    def active(self) -> bool:
        """True when there is any hook."""
        return bool(self._hooks)

    def run(self, batch: Batch, ts: int) -> tuple[list[bytes], list[int], list[bytes]]:
        """The records that pass, the batch index of each, and the RESULTs of those refused."""
        passed, kept, refused = [], [], []
        for index, at in enumerate(batch.offsets):
            length, kind = INPUT_HEADER.unpack_from(batch.buffer, at)[:2]
            record = bytes(batch.buffer[at : at + length])
            verdict = self._judge(kind, record)
            if isinstance(verdict, Refuse):
                account, name = COMMAND_HEADER.unpack_from(record, INPUT_HEADER.size)
                answer = one_refusal(index, verdict.code, verdict.field, account, name, ts)
                refused.append(answer)
            else:
                passed.append(verdict)
                kept.append(index)
        return passed, kept, refused

    def _judge(self, kind: int, record: bytes) -> bytes | Refuse:
        for registration in self._by_kind.get(kind, ()):
            verdict = _call(registration, record)
            if isinstance(verdict, Refuse):
                return verdict
            record = verdict
        return record


def _call(registration: Registration, record: bytes) -> bytes | Refuse:
    began = time.perf_counter()
    try:
        verdict = registration.hook(record)
        problem = _problem(record, verdict)
    except Exception as error:
        verdict, problem = None, f"{type(error).__name__}: {error}"
    took = time.perf_counter() - began
    if not problem and took > registration.budget_s:
        problem = f"took {took * 1e3:.1f} ms of {registration.budget_s * 1e3:.1f} ms"
    if problem:
        registration.failures += 1
        log.warning(
            "hook %s failed (%s): command %s", registration.name, problem, _policy(registration)
        )
        return Refuse(_BUSY) if registration.on_failure == "refuse" else record
    return record if verdict is None else verdict


def _policy(registration: Registration) -> str:
    return "refused" if registration.on_failure == "refuse" else "goes on unchanged"


def _problem(record: bytes, verdict: object) -> str:
    if verdict is None or isinstance(verdict, Refuse):
        return ""
    if not isinstance(verdict, bytes):
        return f"returned {type(verdict).__name__}"
    same = verdict[4:_COMMAND] == record[4:_COMMAND]
    length = int.from_bytes(verdict[:4], "little")
    if not same or length != len(verdict) or length & 7:
        return "changed the header of the command"
    return ""
