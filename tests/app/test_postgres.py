"""The same service on PostgreSQL; and what happens while it is away."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

import asyncpg  # type: ignore[import-untyped]
import pytest

from tests.app.process import service
from tests.store.server import NoServerError, Server, running


@pytest.fixture
def server() -> Iterator[Server]:
    with contextlib.ExitStack() as stack:
        try:
            made = stack.enter_context(running(port_seed=500))
        except NoServerError as error:
            pytest.skip(f"no PostgreSQL: {error}")
        yield made


async def _create(address: str) -> None:
    connection = await asyncpg.connect(f"{address}/postgres")
    await connection.execute("CREATE DATABASE service")
    await connection.close()


def test_trading_goes_on_without_the_database_and_it_catches_up(
    server: Server, tmp_path: Path
) -> None:
    asyncio.run(_create(server.address))
    url = f"{server.address}/service"
    options = ("--symbols", "BTCUSDT,ETHUSDT", "--database-url", url)
    with service(tmp_path / "data", *options) as live:
        token = live.sign_up("hal")
        account = live.account(token)
        body = {"account": account, "instrument": "BTCUSDT", "side": "buy", "volume": "0.001"}
        with live.client(token) as client:
            assert client.post("/orders", json=body).status_code == 201
            server.stop()
            refused = client.get("/fills", params={"account": account})
            assert refused.status_code in (401, 503)
            placed = []
            end = time.monotonic() + 3
            while time.monotonic() < end:
                answer = client.post("/orders", json=body)
                placed.append(answer.status_code)
            assert set(placed) == {201}
            server.start()
            end = time.monotonic() + 60
            while time.monotonic() < end:
                found = client.get("/fills", params={"account": account, "limit": 1000})
                if found.is_success and len(found.json()["items"]) > placed.count(201):
                    break
                time.sleep(0.2)
            assert len(found.json()["items"]) == 1 + placed.count(201)
        assert live.stop() == 0
