"""The `tradeloom replay` command: checks what was asked for, runs the replay, shows the outcome."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Final

import msgspec

from tradeloom.domain.errors import TradeloomError
from tradeloom.engine import Engine
from tradeloom.engine.journal import JournalError
from tradeloom.marketdata.recordings import RecordingError
from tradeloom.replay.market import generated_market, recorded_market
from tradeloom.replay.report import Meter, checking, show
from tradeloom.replay.run import Outcome, Replay

TICKS_GENERATED: Final = 1_000_000
ACCOUNTS_MAX: Final = 1_000_000
SEED_MAX: Final = 2**32 - 1
_BAD_INPUT: Final = 2
_UNBALANCED: Final = 1
_INTERRUPTED: Final = 130


class WrongUsageError(Exception):
    """An option or path that cannot be used; the text is for the user."""


def replay(
    paths: Sequence[Path],
    *,
    seed: int,
    ticks: int | None,
    accounts: int,
    speed: str,
    journal: Path | None,
    as_json: bool,
) -> int:
    """Run one replay and print what happened; returns the exit code.

    0: done; 1: the books do not balance; 2: something given cannot be used; 130: interrupted.
    """
    try:
        outcome = _run(paths, seed, ticks, accounts, _speed(speed), journal, as_json)
    except (WrongUsageError, RecordingError, JournalError, TradeloomError) as error:
        return _complain(str(error))
    except OSError as error:
        return _complain(f"{error.filename or 'replay'}: {error.strerror or error}")
    if as_json:
        sys.stdout.write(msgspec.json.encode(outcome).decode() + "\n")
    else:
        show(outcome)
    if not all(row.balanced for row in outcome.ledgers):
        return _UNBALANCED
    return _INTERRUPTED if outcome.interrupted else 0


def _run(
    paths: Sequence[Path],
    seed: int,
    ticks: int | None,
    accounts: int,
    speed: float | None,
    journal: Path | None,
    as_json: bool,
) -> Outcome:
    if ticks is not None and ticks < 1:
        raise WrongUsageError(f"--ticks {ticks}: give 1 or more")
    if not 0 <= seed <= SEED_MAX:
        raise WrongUsageError(f"--seed {seed}: give 0 to {SEED_MAX}")
    if not 1 <= accounts <= ACCOUNTS_MAX:
        raise WrongUsageError(f"--accounts {accounts}: give 1 to {ACCOUNTS_MAX}")
    for path in paths:
        if not path.exists():
            raise WrongUsageError(f"{path}: no such file or folder")
    if paths:
        with checking(len(paths), quiet=as_json):
            market = recorded_market(paths, ticks)
    else:
        market = generated_market(seed, TICKS_GENERATED if ticks is None else ticks)
    if journal is not None and journal.exists() and (journal.is_file() or any(journal.iterdir())):
        raise WrongUsageError(f"--journal {journal}: not an empty folder; give a new one")
    with (
        Engine.open(journal) as engine,
        Meter(market.ticks, quiet=as_json) as meter,
        _interrupt() as interrupted,
    ):
        return Replay(
            engine,
            market,
            accounts=accounts,
            seed=seed,
            speed=speed,
            journal=journal,
            stopped=lambda: bool(interrupted),
            progress=meter.show,
        ).run()


def _speed(text: str) -> float | None:
    if text == "max":
        return None
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 0 < speed < float("inf"):
        raise WrongUsageError(f"--speed {text}: give max, or market seconds per second such as 60")
    return speed


@contextmanager
def _interrupt() -> Iterator[list[int]]:
    """Turn the first Ctrl-C into an entry of the list, so that no batch is cut in two."""
    seen: list[int] = []

    def note(number: int, _frame: FrameType | None) -> None:
        if seen:
            raise KeyboardInterrupt
        seen.append(number)

    before = signal.signal(signal.SIGINT, note)
    try:
        yield seen
    finally:
        signal.signal(signal.SIGINT, before)


def _complain(problem: str) -> int:
    line = " ".join(problem.split())
    sys.stderr.write(f"tradeloom: {line}\n")
    return _BAD_INPUT
