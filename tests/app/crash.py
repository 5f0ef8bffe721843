"""kill -9 under REST load: what was acknowledged must be there once, in engine, store and ledger.

Used by the tests for a short loop, and by `make bench-platform` and `make soak` for long ones.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx

from tests.app.process import Service

CALLERS = 16


@dataclass(slots=True)
class Tally:
    """What a series of kills came to; `acknowledged` counts orders, the others must stay 0."""

    runs: int = 0
    acknowledged: int = 0
    missing: int = 0
    doubled: int = 0
    unbalanced: int = 0
    faults: list[str] = field(default_factory=list)


async def _load(api: str, token: str, account: int, run: int, acked: dict[str, int]) -> None:
    headers = {"Authorization": f"Bearer {token}"}

    async def caller(number: int, client: httpx.AsyncClient) -> None:
        count = 0
        while True:
            count += 1
            key = f"r{run}c{number}n{count}"
            body = {
                "account": account,
                "instrument": "BTCUSDT",
                "side": "buy" if count % 2 else "sell",
                "volume": "0.001",
            }
            answer = await client.post(
                f"{api}/orders", json=body, headers=headers | {"Idempotency-Key": key}
            )
            if answer.status_code in (200, 201):
                acked[key] = answer.json()["order"]

    limits = httpx.Limits(max_connections=CALLERS)
    async with httpx.AsyncClient(trust_env=False, timeout=10, limits=limits) as client:
        callers = (caller(number, client) for number in range(CALLERS))
        ends = await asyncio.gather(*callers, return_exceptions=True)
    assert all(isinstance(end, httpx.HTTPError) for end in ends), ends


def _kill_under_load(
    live: Service, token: str, account: int, run: int, after_s: float
) -> dict[str, int]:
    acked: dict[str, int] = {}

    async def work() -> None:
        load = asyncio.create_task(_load(live.api, token, account, run, acked))
        await asyncio.sleep(after_s)
        await asyncio.to_thread(live.kill)
        await load

    asyncio.run(work())
    return acked


def _every(client: httpx.Client, path: str, account: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor = None
    while True:
        params: dict[str, Any] = {"account": account, "limit": 1000}
        if cursor is not None:
            params["cursor"] = cursor
        answer = client.get(path, params=params)
        answer.raise_for_status()
        page = answer.json()
        found += page["items"]
        cursor = page["next"]
        if cursor is None:
            return found


def _check(live: Service, token: str, account: int, acked: dict[str, int], tally: Tally) -> None:
    with live.client(token) as client:
        # In the engine: the same key gives the first answer again, without a second effect.
        for key, order in random.sample(sorted(acked.items()), min(20, len(acked))):
            side = "buy" if int(key.rpartition("n")[2]) % 2 else "sell"
            body = {
                "account": account, "instrument": "BTCUSDT", "side": side, "volume": "0.001"
            }  # fmt: skip
            again = client.post("/orders", json=body, headers={"Idempotency-Key": key})
            if again.status_code != 200 or again.json()["order"] != order:
                tally.missing += 1
                tally.faults.append(f"{key}: {again.text}")
        _wait_stored(live)
        orders = Counter(each["id"] for each in _every(client, "/history/orders", account))
        fills = Counter(each["order"] for each in _every(client, "/fills", account))
        for number in acked.values():
            for where, known in (("orders", orders), ("fills", fills)):
                count = known[number]
                if count == 0:
                    tally.missing += 1
                    tally.faults.append(f"order {number} is not in {where}")
                elif count > 1:
                    tally.doubled += 1
                    tally.faults.append(f"order {number} is {count} times in {where}")
    with live.client(live.admin()) as staff:
        rows = staff.get("/ledger/trial-balance").json()
        stored: dict[tuple[str, str], Decimal] = {}
        cursor = None
        while True:
            page = staff.get(
                "/ledger/accounts", params={"limit": 1000} | ({"cursor": cursor} if cursor else {})
            ).json()
            for each in page["items"]:
                if each["account"] == 0:
                    stored[each["ledger"], each["currency"]] = Decimal(each["balance"])
            cursor = page["next"]
            if cursor is None:
                break
        for row in rows:
            house = Decimal(row["house"])
            if Decimal(row["customers"]) + house != 0:
                tally.unbalanced += 1
                tally.faults.append(f"does not balance: {row}")
            if stored.get((row["ledger"], row["currency"]), Decimal(0)) != house:
                tally.unbalanced += 1
                tally.faults.append(f"store and engine differ: {row}")


def _wait_stored(live: Service) -> None:
    """Until the store has everything the engine has."""
    with live.client(live.admin()) as staff:
        end = time.monotonic() + 30
        while time.monotonic() < end:
            health = staff.get("/system/health").json()
            if health["stored_seq"] >= health["events"]:
                return
            time.sleep(0.05)
    raise AssertionError("the store does not catch up")


def kills(data: Path, runs: int, seed: int = 1) -> Tally:
    """Kill and restart a service `runs` times under load, checking after each restart."""
    dice = random.Random(seed)
    tally = Tally()
    live = Service(data, "--symbols", "BTCUSDT,ETHUSDT,EURUSD")
    live.start()
    try:
        live.admin()
        token = live.sign_up("crash")
        with live.client(token) as client:
            user = client.get("/me").json()["id"]
        for run in range(runs):
            account = live.account(live.admin(), owner=user)
            acked = _kill_under_load(live, token, account, run, dice.uniform(0.1, 0.8))
            live.start()
            live.tokens.clear()
            live.tokens["admin"] = live.sign_in("admin")
            token = live.sign_in("crash")
            _check(live, token, account, acked, tally)
            tally.runs += 1
            tally.acknowledged += len(acked)
        assert live.stop() == 0
    finally:
        if live.process is not None and live.process.poll() is None:
            live.kill()
    return tally
