"""The simulated Coinbase: whose token is good for what, and how connections count."""

from __future__ import annotations

import json
from typing import Any

import aiohttp
import pytest

from tradeloom.connectors.venues.coinbase.signing import Signer
from tradeloom.domain.market import BookQuote
from tradeloom.simulators import Simulator, SystemClock
from tradeloom.simulators.coinbase import CoinbaseSpot

PATH = "/api/v3/brokerage/accounts"
URI = f"GET api.coinbase.com{PATH}"


@pytest.fixture
def venue() -> CoinbaseSpot:
    return CoinbaseSpot(seed=1, clock=SystemClock(), symbols=("BTCUSD",))


async def status_of(venue: CoinbaseSpot, token: str) -> int:
    async with (
        Simulator([venue]) as simulator,
        aiohttp.ClientSession() as session,
        session.get(
            f"{simulator.url('coinbase')}{PATH}", headers={"Authorization": f"Bearer {token}"}
        ) as reply,
    ):
        if reply.status == 401:
            assert await reply.text() == "Unauthorized\n"
        return reply.status


@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.parametrize(
    ("shift_s", "lasts_s", "uri", "status"),
    [
        (0, 120, URI, 200),
        (-60, 120, URI, 200),
        (-121, 120, URI, 401),  # over
        (60, 120, URI, 401),  # not yet
        (0, 600, URI, 401),  # for too long
        (0, 120, "POST api.coinbase.com/api/v3/brokerage/orders", 401),  # for another call
        (0, 120, "", 401),  # for sockets
    ],
)
async def test_tokens(
    venue: CoinbaseSpot, which: int, shift_s: int, lasts_s: int, uri: str, status: int
) -> None:
    key = venue.keys.all()[which]
    now_s = venue.clock.now_ns() // 10**9
    token = Signer(key.key, key.secret).token(now_s + shift_s, lasts_s, uri)
    assert await status_of(venue, token) == status


async def test_tampered_and_foreign_tokens(venue: CoinbaseSpot) -> None:
    first, second = venue.keys.all()
    now_s = venue.clock.now_ns() // 10**9
    good = Signer(first.key, first.secret).token(now_s, 120, URI)
    head, claims, signature = good.split(".")
    other = Signer(first.key, second.secret).token(now_s, 120, URI)
    stranger = Signer("nobody", first.secret).token(now_s, 120, URI)
    for token in ("", "a.b", f"{head}.{claims}.{signature[:-6]}AAAAAA", other, stranger):
        assert await status_of(venue, token) == 401


async def test_one_running_number_per_connection(venue: CoinbaseSpot) -> None:
    async with (
        Simulator([venue]) as simulator,
        aiohttp.ClientSession() as session,
        session.ws_connect(f"{simulator.ws_url('coinbase')}/ws") as one,
        session.ws_connect(f"{simulator.ws_url('coinbase')}/ws-user") as two,
    ):

        async def ask(socket: aiohttp.ClientWebSocketResponse, **frame: Any) -> dict[str, Any]:
            await socket.send_str(json.dumps(frame))
            told: dict[str, Any] = await socket.receive_json(timeout=5)
            return told

        told = await ask(one, type="subscribe", channel="level2", product_ids=["BTC-USD"])
        assert (told["channel"], told["sequence_num"]) == ("subscriptions", 0)
        assert told["events"] == [{"subscriptions": {"level2": ["BTC-USD"]}}]
        assert (await one.receive_json())["events"][0]["type"] == "snapshot"
        now = venue.clock.now_ns()
        venue.feed(BookQuote("coinbase", "BTCUSD", 2, 6180000, 6180100, 10**8, 10**8, now, now))
        frame = await one.receive_json(timeout=5)
        assert (frame["channel"], frame["sequence_num"]) == ("l2_data", 2)
        sides = {row["side"]: row["price_level"] for row in frame["events"][0]["updates"]}
        assert sides == {"bid": "61800", "offer": "61801"}
        told = await ask(two, type="subscribe", channel="user", jwt="nonsense")
        assert told == {"type": "error", "message": "authentication failure"}
        key = venue.keys.all()[1]
        token = Signer(key.key, key.secret).token(now // 10**9, 120)
        told = await ask(two, type="subscribe", channel="user", jwt=token)
        assert (told["channel"], told["sequence_num"]) == ("subscriptions", 0)
        told = await ask(one, type="subscribe", channel="level2", product_ids=["FOO-BAR"])
        assert told["message"] == "FOO-BAR is not a valid product"
