"""Jobs of the day: old bars, old sessions, requests nobody decided. What fails is tried again."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from tradeloom.app.limits import HOUSEKEEPING_EVERY_S, HOUSEKEEPING_FIRST_S, HOUSEKEEPING_RETRY_S
from tradeloom.security import Security
from tradeloom.store import StoreError
from tradeloom.store.approvals import Approvals
from tradeloom.store.bars import BarStore

log = logging.getLogger(__name__)

Job = Callable[[], Awaitable[int]]


def jobs(bars: BarStore, security: Security, approvals: Approvals) -> dict[str, Job]:
    """What is done, by name; each tells how many rows it removed or ended."""
    return {
        "old bars": lambda: bars.maintain(time.time_ns()),
        "old sessions": security.sessions.tidy,
        "undecided requests": lambda: approvals.expire(time.time_ns()),
    }


async def keep_house(
    work: dict[str, Job],
    *,
    first_s: float = HOUSEKEEPING_FIRST_S,
    every_s: float = HOUSEKEEPING_EVERY_S,
    retry_s: float = HOUSEKEEPING_RETRY_S,
) -> None:
    """Do every job soon after the start and then again and again, until cancelled."""
    await asyncio.sleep(first_s)
    while True:
        fine = True
        for name, job in work.items():
            try:
                count = await job()
            except StoreError as error:
                fine = False
                log.warning("%s are left for later: %s", name, error)
            else:
                if count:
                    log.info("%s: %d", name, count)
        await asyncio.sleep(every_s if fine else min(retry_s, every_s))
