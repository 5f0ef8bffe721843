"""Books rebuilt from recorded frames by our keeper, held to the venues' checksums."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator


def checksums() -> Iterator[tuple[str, int, int]]:
    """Venue, frames with a checksum, and how many of them differ; nothing without recordings."""
    if not os.environ.get("TRADELOOM_RECORDED"):
        print("books: left out, TRADELOOM_RECORDED is not set")
        return
    yield asyncio.run(_kraken())
    yield asyncio.run(_okx())


async def _kraken() -> tuple[str, int, int]:
    from tests.connectors.kraken import test_recorded as kraken

    dialect, events = kraken.old_books()
    keeper, _, _ = kraken.keeper_of(dialect)
    for event, checksum in events:
        kraken.take(keeper, dialect, event, checksum)
    await keeper.close()
    checked = sum(1 for _, checksum in events if checksum)
    return "kraken", checked, keeper.counts["checksum failures"] + keeper.counts["gaps"]


async def _okx() -> tuple[str, int, int]:
    from tests.connectors.ears import captured
    from tests.connectors.okx import test_recorded as okx

    capture = captured(okx.CAPTURE)
    texts = [text for _, text in capture if '"channel":"books"' in text and "data" in text]
    keeper, _ = await okx._rebuild(texts, okx.dialect())
    return "okx", len(texts), keeper.counts["checksum failures"] + keeper.counts["gaps"]
