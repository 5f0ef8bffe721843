"""Makes the golden journal of this version: a small trading day and what it must replay to.

    python -m tests.golden.make

Run once per release whose records or rules are new, and commit the folder. Never made again: the
point of a golden journal is that later versions read what an older one wrote.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

from benchmarks.load import UNIT, buy, close_all, command, deposit, opening, quote
from tradeloom import __version__
from tradeloom._core import WIRE_VERSION
from tradeloom.engine.frames import CLOCK
from tradeloom.engine.local import LocalShard, Storage, open_local

FOLDER = Path(__file__).parent
STORAGE = Storage(snapshots=False, segment_bytes=16 << 10)
START_NS = 1_735_707_600_000_000_000  # 2025-01-01 05:00 UTC


def trading_day(shard: LocalShard) -> None:
    """Every kind of thing a day brings, a few times each."""
    shard.write(opening(4, money=2_000 * UNIT))
    for step in range(120):
        bid = 110_000 - step * 25 + step * 7919 % 60
        account = 1 + step % 4
        packed = quote(bid, bid + 2) + buy(account, f"g{step}", UNIT // 50 * (1 + step % 5))
        if step % 5 == 0:
            limit = {"type_": 1, "volume": UNIT // 100, "price": bid - 300, "sl": bid - 900}
            packed += command("PlaceOrder", account, f"l{step}", max_deviation=-1, **limit)
        if step % 11 == 0:
            packed += close_all(1 + step % 3, f"c{step}") + deposit(account, f"d{step}", 9 * UNIT)
        if step % 17 == 0:
            packed += CLOCK + deposit(99, "refused") + deposit(1, f"d{step}", 9 * UNIT)
        shard.write(packed)
    shard.write(command("CancelAll", 2, "x", instrument=0xFFFFFFFF))


def expectation(shard: LocalShard) -> dict[str, object]:
    """What a replay must come to."""
    events = hashlib.sha256()
    for chunk in shard.history():
        events.update(chunk)
    return {
        "version": __version__,
        "wire_version": WIRE_VERSION,
        "state_hash": shard.core.state_hash().hex(),
        "input_seq": shard.core.input_seq,
        "event_seq": shard.core.event_seq,
        "events_sha256": events.hexdigest(),
    }


def main() -> None:
    """Write the folder of this version."""
    folder = FOLDER / f"v{__version__}-wire{WIRE_VERSION}"
    if folder.exists():
        sys.exit(f"{folder.name} is there already; golden journals are never made again")
    now = START_NS

    def clock() -> int:
        nonlocal now
        now += 1_000_000_007
        return now

    with LocalShard(open_local(folder, storage=STORAGE), clock=clock) as shard:
        trading_day(shard)
        expected = expectation(shard)
    (folder / "lock").unlink()
    (folder / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")


if __name__ == "__main__":
    main()
