"""A process with a connector of its own that dies, or finds its disk full, at a chosen moment.

python -m tests.connectors.child BASE_URL FOLDER KEY SECRET before|after|full
"""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import sys
from decimal import Decimal
from pathlib import Path
from typing import Final

from tradeloom.connectors.connector import VenueConnector
from tradeloom.connectors.contract import OrderRequest
from tradeloom.connectors.dialect import Placed
from tradeloom.connectors.instruments import Listing
from tradeloom.connectors.profile import Credentials, Need
from tradeloom.connectors.venues.binance.dialect import BinanceSpot
from tradeloom.domain.enums import OrderType, Side

BASE, FOLDER, KEY, SECRET, MOMENT = sys.argv[1:6] if len(sys.argv) > 5 else [""] * 5
ORDER: Final = OrderRequest(
    client_id="crash-1",
    symbol="BTCUSDT",
    side=Side.BUY,
    volume=Decimal("0.02"),
    type=OrderType.LIMIT,
    price=Decimal(60_000),
)


class Dying(BinanceSpot):
    """Binance, in a process that is killed around its first placement."""

    async def place(self, request: OrderRequest, listing: Listing, wire_id: str) -> Placed:
        """Never returns."""
        if MOMENT == "after":
            await super().place(request, listing, wire_id)
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError


async def main() -> None:
    """Connect, place one order, say what was answered."""
    kind = BinanceSpot if MOMENT == "full" else Dying
    credentials = Credentials("demo", {Need.KEY: KEY, Need.SECRET: SECRET})
    connector = VenueConnector(
        kind, urls=kind.profile.simulated(BASE), credentials=credentials, folder=Path(FOLDER)
    )
    await connector.start()
    if MOMENT == "full":
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (4_096, 4_096))  # no file may grow any more
    answer = await connector.submit(ORDER)
    sys.stdout.write(f"{answer.outcome.name} {answer.code.name} {answer.message}\n")
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    asyncio.run(main())
