"""The simulated Kraken verifies signatures and nonces as the vendor published them."""

from __future__ import annotations

from typing import Any

import aiohttp

from tradeloom.simulators import Simulator, SystemClock
from tradeloom.simulators.keys import Credentials
from tradeloom.simulators.kraken import KrakenSpot

# The vendor's example, to the letter.
EXAMPLE = "kQH5HW/8p1uGOVjbgWA7FunAmGO8lsSUXNsu3eow76sz84Q18fWxnyRzBHCd3pd5nE9qa99HAZtuZuj6F1huXg=="
SIGN = "4/dpxb3iT4tp/ZCVEwSnEsLxx0bqyhLpdfOpc6fn7OR8+UClSV5n9E6aSS8MPtnRfp32bAb0nmbRn6H8ndwLUQ=="
BODY = "nonce=1616492376594&ordertype=limit&pair=XBTUSD&price=37500&type=buy&volume=1.25"


async def call(base: str, body: str, sign: str) -> Any:
    headers = {
        "API-Key": "theirs",
        "API-Sign": sign,
        "Content-Type": "application/x-www-form-urlencoded",
    }
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{base}/0/private/AddOrder", data=body, headers=headers) as reply,
    ):
        return await reply.json()


async def test_the_vendors_example_places_an_order_once() -> None:
    venue = KrakenSpot(seed=1, clock=SystemClock(), symbols=("BTCUSD",))
    venue.add_key(Credentials(key="theirs", secret=EXAMPLE))
    async with Simulator([venue]) as simulator:
        base = simulator.url("kraken")
        placed = await call(base, BODY, SIGN)
        assert placed["error"] == []
        assert placed["result"]["descr"]["order"] == "buy 1.25000000 XBTUSD @ limit 37500.0"
        (order,) = venue.exchange.open_orders("demo")
        assert (order.price, order.size) == (375_000, 125_000_000)
        again = await call(base, BODY, SIGN)
        assert again["error"] == ["EAPI:Invalid nonce"]
        changed = await call(base, BODY.replace("1.25", "9.25"), SIGN)
        assert changed["error"] == ["EAPI:Invalid signature"]
        assert len(venue.exchange.open_orders("demo")) == 1
