"""`tradeloom journal`: verify a journal, show what is in it, say how big it is. Changes nothing.

Exit codes: 0 fine, 1 damaged, 3 written by a later version, 4 not there or not readable.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress
from rich.table import Table

from tradeloom._core import Core

from ..snapshots import SnapshotDamaged, SnapshotStore
from . import survey as look
from .contract import Record
from .decode import decode
from .disk import Disk
from .errors import JournalDamaged, JournalError, JournalTooNew
from .format import PAGE
from .reader import FileReader

EXIT_DAMAGED: Final = 1
EXIT_TOO_NEW: Final = 3
EXIT_UNAVAILABLE: Final = 4
# Wide enough for whole lines when the output goes into a file or another program.
PIPE_WIDTH: Final = 160

app = typer.Typer(
    name="journal",
    help="Look at journals: the durable record of every input of a shard.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Directory = Annotated[Path, typer.Argument(metavar="PATH", help="Folder with the .tlj segments.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]


@app.command(epilog="Example: tradeloom journal verify data/shard-0 --replay")
def verify(
    path: Directory,
    replay: Annotated[
        bool, typer.Option(help="Also apply every input and compare the snapshots' state hashes.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Check every checksum, the hash chain, and the order of records from the first to the last."""
    with _failures(as_json):
        check = _Replay(path) if replay else None
        found = list(_progress(look.survey(path, check.each if check else None), path))
        snapshots = _snapshots(path, found[0].shard, whole=True)
        _check_reach(found[-1], snapshots)
        outcome: dict[str, Any] = {
            "ok": True,
            "segments": len(found),
            "records": sum(each.records for each in found),
            "inputs": sum(each.inputs for each in found),
            "torn_bytes": found[-1].torn_bytes,
            "snapshots": snapshots,
        }
        if check is not None:
            outcome |= check.outcome()
        if as_json:
            typer.echo(json.dumps(outcome | {"files": [asdict(each) for each in found]}))
            return
        _print_segments(found)
        _print_snapshots(snapshots)
        if check is not None:
            typer.echo(f"state hash after {check.record:,} records: {outcome['state_hash']}")
        if found[-1].torn_bytes:
            typer.echo(
                f"the last record is not finished ({found[-1].torn_bytes} bytes): being written "
                "now, or torn by a crash; the next start cuts it, it was never acknowledged"
            )
        typer.echo(f"whole: {outcome['records']:,} records, {outcome['inputs']:,} inputs")


@app.command(epilog="Example: tradeloom journal show data/shard-0 --from 1200 --limit 5")
def show(
    path: Directory,
    first: Annotated[int, typer.Option("--from", min=1, help="First record.")] = 1,
    limit: Annotated[int, typer.Option(min=1, help="At most so many records.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per record.")] = False,
) -> None:
    """Print records and the inputs in them; fields that are 0 are left out."""
    with _failures(as_json):
        last = look.last_segment(path)
        end = last.first_record + last.records - 1
        reader = FileReader(Disk(), path, last.shard, first - 1)
        try:
            for record in reader.records(min(end, first + limit - 1)) if first <= end else ():
                (_show_json if as_json else _show_text)(record)
        finally:
            reader.close()


@app.command(epilog="Example: tradeloom journal stat data/shard-0 --json")
def stat(path: Directory, as_json: AsJson = False) -> None:
    """Say how big a journal is and what is newest in it; reads only the last segment."""
    with _failures(as_json):
        paths, last = look.segments(path), look.last_segment(path)
        snapshots = _snapshots(path, last.shard, whole=False)
        outcome: dict[str, Any] = {
            "path": str(path),
            "shard": last.shard,
            "epoch": last.epoch,
            "wire_version": last.wire_version,
            "segments": len(paths),
            "bytes": sum(each.stat().st_size for each in paths),
            "first_record": int(paths[0].stem),
            "last_record": last.first_record + last.records - 1,
            "last_time": _utc(last.last_ts),
            "torn_bytes": last.torn_bytes,
            "snapshots": snapshots,
        }
        if as_json:
            typer.echo(json.dumps(outcome))
            return
        table = Table(box=None, pad_edge=False, show_header=False)
        for key, value in outcome.items():
            if key != "snapshots":
                shown = f"{value:,}" if isinstance(value, int) else escape(str(value))
                table.add_row(key.replace("_", " "), shown)
        _console().print(table)
        _print_snapshots(snapshots)


class _Replay:
    """Applies every record and compares the state hash wherever a snapshot was made."""

    def __init__(self, path: Path) -> None:
        shard = look.last_segment(path).shard
        store = SnapshotStore(path, shard)
        self._core = Core(shard)
        self._hashes: dict[int, bytes] = {}
        self.record = self.compared = 0
        begins = int(look.segments(path)[0].stem)
        for snapshot in reversed(store.paths()):
            try:
                header = store.header(snapshot)
                if begins > 1 and not self.record:
                    # The beginning was cleared away: the oldest snapshot stands for it.
                    self._core, header = store.load(snapshot)
                    self.record = header.record
            except SnapshotDamaged:
                continue
            self._hashes[header.record] = header.state_hash

    def each(self, record: Record) -> None:
        """Apply one record."""
        if record.number <= self.record:
            return
        if record.first_seq != self._core.input_seq + 1:
            raise JournalDamaged(
                record.segment,
                record.offset,
                f"record {record.number} goes on with input {record.first_seq}, "
                f"the core with {self._core.input_seq + 1}",
            )
        self._core.apply_muted(record.payload)
        self.record = record.number
        expected = self._hashes.get(record.number)
        if expected is None:
            return
        self.compared += 1
        if self._core.state_hash() != expected:
            raise JournalDamaged(
                record.segment, record.offset, f"state hash differs behind record {record.number}"
            )

    def outcome(self) -> dict[str, Any]:
        """What came out."""
        return {
            "state_hash": self._core.state_hash().hex(),
            "input_seq": self._core.input_seq,
            "snapshots_compared": self.compared,
        }


@contextmanager
def _failures(as_json: bool) -> Iterator[None]:
    """Every error as one line and an exit code."""
    try:
        yield
    except (JournalError, OSError) as error:
        code = EXIT_UNAVAILABLE
        detail: dict[str, Any] = {"ok": False, "error": str(error)}
        if isinstance(error, JournalDamaged):
            code = EXIT_DAMAGED
            detail |= {"segment": error.segment, "offset": error.offset, "reason": error.reason}
        elif isinstance(error, JournalTooNew):
            code = EXIT_TOO_NEW
        if as_json:
            typer.echo(json.dumps(detail))
        else:
            typer.echo(f"tradeloom: {error}", err=True)
        raise typer.Exit(code) from error


def _progress(found: Iterator[look.SegmentSurvey], path: Path) -> Iterator[look.SegmentSurvey]:
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("segments", total=len(look.segments(path)))
        for each in found:
            yield each
            bar.advance(task)


def _snapshots(path: Path, shard: int, *, whole: bool) -> list[dict[str, Any]]:
    """The snapshots, newest first; `whole`: load each to see whether it is as it was written."""
    store, rows = SnapshotStore(path, shard), []
    for snapshot in store.paths():
        row: dict[str, Any] = {"file": snapshot.name, "bytes": snapshot.stat().st_size}
        try:
            header = store.load(snapshot)[1] if whole else store.header(snapshot)
        except SnapshotDamaged as damage:
            row["damaged"] = damage.reason
        else:
            row |= {"record": header.record, "input": header.input_seq, "time": _utc(header.now)}
        rows.append(row)
    return rows


def _check_reach(last: look.SegmentSurvey, snapshots: list[dict[str, Any]]) -> None:
    """A snapshot beyond the end proves that durable records are gone."""
    end = last.first_record + last.records - 1
    for row in snapshots:
        if row.get("record", 0) > end:
            reason = f"the journal ends with record {end}, snapshot {row['file']} saw more"
            raise JournalDamaged(last.name, PAGE + last.bytes_used, reason)


def _print_segments(found: list[look.SegmentSurvey]) -> None:
    table = Table("segment", "epoch", "records", "inputs", "bytes", "first", "last", box=None)
    for each in found:
        numbers = (each.epoch, each.records, each.inputs, each.bytes_used)
        times = (_utc(each.first_ts), _utc(each.last_ts))
        table.add_row(each.name, *(f"{number:,}" for number in numbers), *times)
    _console().print(table)


def _print_snapshots(rows: list[dict[str, Any]]) -> None:
    if not rows:
        typer.echo("no snapshots")
        return
    table = Table("snapshot", "bytes", "record", "input", "time", box=None)
    for row in rows:
        known = (row.get("damaged", ""), "", "")
        if "record" in row:
            known = (f"{row['record']:,}", f"{row['input']:,}", row["time"])
        table.add_row(row["file"], f"{row['bytes']:,}", *known)
    _console().print(table)


def _show_json(record: Record) -> None:
    row = {
        "record": record.number,
        "epoch": record.epoch,
        "segment": record.segment,
        "offset": record.offset,
        "first_seq": record.first_seq,
        "time": _utc(record.ts),
        "inputs": list(decode(record.payload)),
    }
    typer.echo(json.dumps(row))


def _show_text(record: Record) -> None:
    typer.echo(
        f"record {record.number}  epoch {record.epoch}  {_utc(record.ts)}  {record.inputs} inputs "
        f"from {record.first_seq}  {record.segment} at {record.offset}"
    )
    for each in decode(record.payload):
        kind, fields = each.pop("kind"), "  ".join(f"{k}={v}" for k, v in each.items() if k != "ts")
        typer.echo(f"    {kind:<18}{fields}")


def _console() -> Console:
    return Console(width=None if Console().is_terminal else PIPE_WIDTH)


def _utc(ts_ns: int) -> str:
    if not ts_ns:
        return "-"
    seconds, rest = divmod(ts_ns, 10**9)
    when = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    return f"{when:%Y-%m-%dT%H:%M:%S}.{rest:09d}Z"
