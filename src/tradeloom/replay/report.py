"""Shows a replay to people: progress while it runs, tables at the end."""

from __future__ import annotations

import sys
import time
from contextlib import AbstractContextManager, nullcontext
from types import TracebackType
from typing import Final, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar
from rich.table import Table

from tradeloom.replay.run import Outcome, Progress, market_time

_LINE_EVERY_S: Final = 2.0
_ROWS: Final = (
    ("Commands", "commands"),
    ("Orders", "orders"),
    ("Fills", "fills"),
    ("Positions opened", "opened"),
    ("Positions closed", "closed"),
    ("Stop losses", "stop_loss"),
    ("Take profits", "take_profit"),
    ("Pending orders triggered", "pending"),
    ("Trailing stops moved", "trailing_moves"),
    ("Orders expired", "expired"),
    ("Margin calls", "margin_calls"),
    ("Stop-outs", "stop_outs"),
    ("Closed by stop-out", "stop_out_closes"),
    ("Liquidations (isolated)", "liquidations"),
    ("Events", "events"),
)


class Meter:
    """A bar on a terminal, a line every two seconds elsewhere; on standard error either way."""

    def __init__(self, total: int, *, quiet: bool = False) -> None:
        self._total = total
        self._quiet = quiet
        self._console = Console(stderr=True)
        self._next = 0.0
        self._bar: Bar | None = None
        if self._console.is_terminal and not quiet:
            self._bar = Bar(
                TextColumn("{task.fields[market]}"),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("{task.fields[rate]} ticks/s"),
                TimeRemainingColumn(),
                console=self._console,
                transient=True,
            )
            self._task = self._bar.add_task("", total=total, market="", rate="–")

    def __enter__(self) -> Self:
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def show(self, now: Progress) -> None:
        """Show how far the replay is."""
        clock = time.monotonic()
        if self._quiet or clock < self._next:
            return
        rate = f"{int(now.ticks / now.seconds):,}" if now.seconds > 0 else "–"
        when = market_time(now.market_ns)
        if self._bar is not None:
            self._next = clock + 0.1
            self._bar.update(self._task, completed=now.ticks, market=when, rate=rate)
            return
        if self._next:
            part = 100 * now.ticks // max(self._total, 1)
            sys.stderr.write(f"{when}  {now.ticks:,} ticks  {part} %  {rate} ticks/s\n")
            sys.stderr.flush()
        self._next = clock + _LINE_EVERY_S


def checking(number: int, *, quiet: bool) -> AbstractContextManager[object]:
    """Say that recordings are being checked, which takes about as long as replaying them."""
    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        return nullcontext()
    return console.status(f"checking {number} path{'s' if number > 1 else ''}")


def show(outcome: Outcome) -> None:
    """Print the tables of a finished replay on standard output."""
    console = Console(highlight=False)
    for note in outcome.notes:
        console.print(note, markup=False)
    console.print(_happened(outcome))
    if outcome.rejected:
        console.print(_rejected(outcome))
    console.print(_ledgers(outcome))
    if outcome.journal:
        console.print(f"journal     {outcome.journal}", markup=False, soft_wrap=True)
    console.print(f"state hash  {outcome.state_hash}", soft_wrap=True)
    if outcome.interrupted:
        console.print("interrupted: this is what happened until then")


def _happened(outcome: Outcome) -> Table:
    table = Table(title="What happened", title_justify="left")
    table.add_column("")
    table.add_column("", justify="right")
    span = f"{market_time(outcome.first_ns)} to {market_time(outcome.last_ns)} UTC"
    table.add_row("Market time", span if outcome.ticks else "–")
    table.add_row("Ticks", f"{outcome.ticks:,}")
    table.add_row("Accounts", f"{outcome.accounts:,}")
    for title, name in _ROWS:
        table.add_row(title, f"{outcome.counts.get(name, 0):,}")
    table.add_row("Seconds", f"{outcome.seconds:,.2f}")
    table.add_row("Ticks/s", f"{outcome.ticks_per_s:,}")
    return table


def _rejected(outcome: Outcome) -> Table:
    table = Table(title="Rejected commands", title_justify="left")
    table.add_column("code")
    table.add_column("commands", justify="right")
    for code, number in outcome.rejected.items():
        table.add_row(code, f"{number:,}")
    return table


def _ledgers(outcome: Outcome) -> Table:
    table = Table(title="Ledgers (debits = credits)", title_justify="left")
    table.add_column("ledger")
    table.add_column("currency")
    table.add_column("customers", justify="right")
    table.add_column("house", justify="right")
    table.add_column("balanced")
    for row in outcome.ledgers:
        table.add_row(
            row.ledger,
            row.currency,
            f"{row.customers:,.2f}",
            f"{row.house:,.2f}",
            "yes" if row.balanced else "NO",
        )
    return table
