"""Kills a shard under load again and again: is what it acknowledged there, once, and whole?

    python -m benchmarks.crash --runs 200

Each run starts `benchmarks.crash_child` on the journal the last one left, kills it with SIGKILL
after a random time, and then, with a reader of its own, checks that

- every id it had acknowledged is in the journal exactly once, and answers a repeat as a repeat;
- what was not acknowledged is in the journal once and whole, or not at all;
- the state recovered from snapshot and tail has the hash of an independent replay of everything.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.plain_journal import inputs, payloads
from tradeloom._core import Core
from tradeloom.engine.local import LocalShard, Storage, open_local

# A journal is used for this many kills, then a fresh one: replay stays short.
KILLS_PER_JOURNAL = 10
LOAD_S_MAX = 0.6
REPEATED = 2


@dataclass
class Crashes:
    """What the kills came to. Everything from `lost` on must be 0."""

    runs: int = 0
    acknowledged: int = 0
    in_journal: int = 0
    torn_tails: int = 0
    from_snapshot: int = 0
    lost: int = 0
    duplicated: int = 0
    torn: int = 0
    wrong_hash: int = 0

    @property
    def violations(self) -> int:
        """Broken promises."""
        return self.lost + self.duplicated + self.torn + self.wrong_hash


def killed_run(directory: Path, run: int, chance: random.Random) -> list[str]:
    """Start the child, kill it; the ids it acknowledged."""
    command = [sys.executable, "-m", "benchmarks.crash_child", str(directory), str(run)]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    if chance.random() < 0.9:  # else it dies while it starts
        first = child.stdout.readline()
        assert first == "ready\n", f"the child did not start: {first!r}"
        time.sleep(chance.uniform(0.0, LOAD_S_MAX))
    else:
        time.sleep(chance.uniform(0.0, 2 * LOAD_S_MAX))
    child.send_signal(signal.SIGKILL)
    text = child.stdout.read()
    child.stdout.close()
    code = child.wait()
    assert code == -signal.SIGKILL, f"the child ended by itself with {code}"
    # A line without its end was being written: the caller had its answer, so it counts too, but
    # the id cannot be read.
    return [line for line in text.split("\n")[:-1] if line != "ready"]


def check(directory: Path, acknowledged: set[str], totals: Crashes) -> int:
    """Recover and compare with what was acknowledged, adding to `totals`; ids in the journal."""
    # Reading first: opening cuts the torn tail.
    before = sum(1 for _ in payloads(directory))
    opened = open_local(directory, storage=Storage(snapshots=False))
    totals.torn_tails += opened.journal.durable < before
    totals.from_snapshot += opened.recovered.snapshot_record > 0
    replayed, seen = Core(0), Counter[str]()
    known: dict[str, bytes] = {}
    for payload in payloads(directory):
        replayed.apply(payload)
        for _, _, name, record in inputs(payload):
            if name.startswith("r"):
                seen[name] += 1
                known[name] = record
    totals.lost += len(acknowledged - seen.keys())
    totals.duplicated += sum(count > 1 for count in seen.values())
    totals.torn += replayed.input_seq != opened.core.input_seq
    totals.wrong_hash += replayed.state_hash() != opened.core.state_hash()
    shard = LocalShard(opened)
    state = opened.core.state_hash()
    for name in sorted(acknowledged)[:: max(1, len(acknowledged) // REPEATED)]:
        repeat = shard.write(known[name]).answers[0] if name in known else b""
        totals.duplicated += repeat[6:8] != b"\2\0"
    totals.duplicated += opened.core.state_hash() != state
    shard.close()
    return len(seen)


def run(runs: int, seed: int = 1, directory: Path | None = None) -> Crashes:
    """`runs` kills; what they came to."""
    chance, totals = random.Random(seed), Crashes()
    root = Path(tempfile.mkdtemp(prefix="tradeloom-crash-", dir=directory))
    try:
        for first in range(0, runs, KILLS_PER_JOURNAL):
            journal = root / str(first)
            acknowledged: set[str] = set()
            found = 0
            for number in range(first, min(runs, first + KILLS_PER_JOURNAL)):
                acknowledged.update(killed_run(journal, number, chance))
                found = check(journal, acknowledged, totals)
                totals.runs += 1
            totals.acknowledged += len(acknowledged)
            totals.in_journal += found
            shutil.rmtree(journal)
    finally:
        shutil.rmtree(root, ignore_errors=True)
    return totals


def row(runs: int, seed: int = 1) -> dict[str, object]:
    """The kills as a row of a benchmark table."""
    totals = run(runs, seed)
    return {
        "name": f"kill -9: acknowledged inputs lost, duplicated or torn in {totals.runs} runs",
        "value": totals.violations,
        "unit": "inputs",
        "bound": 0,
        "holds": totals.violations == 0 and totals.acknowledged > 0,
        "baseline": f"{totals.acknowledged} acknowledged, {totals.torn_tails} torn tails cut",
    }


def main() -> None:
    """Run from the command line and write the row to build/bench/crash.json."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    totals = run(given.runs, given.seed)
    print(json.dumps(asdict(totals) | {"violations": totals.violations}, indent=1))
    out = Path("build/bench")
    out.mkdir(parents=True, exist_ok=True)
    (out / "crash.json").write_text(json.dumps(asdict(totals), indent=1))
    sys.exit(totals.violations != 0)


if __name__ == "__main__":
    main()
