"""The jobs of the day are done, again and again, and a database that is away stops none of them."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from tradeloom.app.housekeeping import Job, jobs, keep_house
from tradeloom.security import Door, Role, Secrets, Security
from tradeloom.store import Database, StoreError
from tradeloom.store.approvals import Approvals, ApprovalState
from tradeloom.store.bars import Bar, BarStore

DAY = 86_400 * 10**9
_PRICES = (1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1)


async def test_old_things_go(tmp_path: Path) -> None:
    async with await Database.open(f"sqlite:///{tmp_path}/a.db") as database:
        security = Security(Door(database, Secrets.load(tmp_path / "secrets.json")))
        bars, approvals = BarStore(database), Approvals(database)
        now = time.time_ns()
        long_ago = now - 9 * DAY
        old = Bar("EURUSD", 1, long_ago, 5, *_PRICES, 1, long_ago, long_ago)
        await bars.write([old, old._replace(start=now - DAY)])
        asker = await security.people.create("anna", "a-long-enough-phrase-1", Role.ADMIN)
        async with database.write() as connection:
            numbers = [
                await approvals.ask(
                    connection, now=now - DAY, expires=expires, requester=asker.id,
                    operation="deposit", target="1", request={}, reason="",
                )
                for expires in (now - 1, now + DAY)
            ]  # fmt: skip
        keeping = asyncio.create_task(keep_house(jobs(bars, security, approvals), first_s=0))
        async with asyncio.timeout(10):
            while len(await bars.read("EURUSD", 1)) == 2:
                await asyncio.sleep(0.01)
            while True:
                found = [await approvals.get(number) for number in numbers]
                states = [each.state for each in found if each]
                if states[0] is ApprovalState.EXPIRED:
                    break
                await asyncio.sleep(0.01)
        keeping.cancel()
        assert states[1] is ApprovalState.PENDING


async def test_what_fails_is_tried_again() -> None:
    calls: list[str] = []

    async def broken() -> int:
        calls.append("broken")
        raise StoreError("away")

    async def fine() -> int:
        calls.append("fine")
        return 1

    work: dict[str, Job] = {"broken": broken, "fine": fine}
    keeping = asyncio.create_task(keep_house(work, first_s=0, every_s=3_600, retry_s=0.01))
    async with asyncio.timeout(10):
        while calls.count("fine") < 3:
            await asyncio.sleep(0.005)
    keeping.cancel()
    assert calls.count("broken") >= 3
