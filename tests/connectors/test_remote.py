"""A connector behind gRPC: a service that dies and comes back, slow readers, foreign clients."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tests.connectors.binance.scene import another, quoted
from tests.connectors.stage import FaultKind, Stage, limit, staged
from tradeloom.connectors import rpc
from tradeloom.connectors.contract import (
    AccountEvent,
    Outcome,
    State,
    StateChange,
    UnknownOrder,
    VenueOrder,
    VenueUnavailable,
)
from tradeloom.connectors.proto import venue_pb2 as pb
from tradeloom.connectors.remote import RemoteConnector
from tradeloom.domain.enums import OrderState, Side
from tradeloom.domain.market import BookQuote, FeedState, FeedStatus, MarketEvent, Topic
from tradeloom.gateways.grpc.venue import VenueServer

BTC = "BTCUSDT"
PROTO = Path(__file__).parents[2] / "proto/tradeloom/venue/v1/venue.proto"


@contextlib.asynccontextmanager
async def service(
    stage: Stage, folder: Path | None, port: int = 0, token: str = ""
) -> AsyncIterator[tuple[VenueServer, Stage]]:
    """A venue service; leaving it is like a kill: nothing in flight is finished."""
    async with another(stage, folder) as behind:
        server = VenueServer(behind.connector, "127.0.0.1", port, token)
        await server.start()
        try:
            yield server, behind
        finally:
            await server._server.stop(0)
            await server.stop()


async def until(what: Any, seconds: float = 15.0) -> None:
    async with asyncio.timeout(seconds):
        while not what():
            await asyncio.sleep(0.01)


async def moving(stage: Stage) -> None:
    step = 0
    while True:
        step += 1
        stage.quote(BTC, "61800.2", "61801.3", str(1 + step % 9))
        await asyncio.sleep(0.02)


async def test_a_service_that_dies_and_comes_back(tmp_path: Path) -> None:
    async with staged("binance", (BTC,), prepare=quoted, start=False) as stage:
        market: list[MarketEvent] = []
        account: list[AccountEvent] = []
        mover = asyncio.create_task(moving(stage))
        async with service(stage, tmp_path) as (server, _):
            port = server.port
            remote = RemoteConnector(f"127.0.0.1:{port}")
            remote.listen(account.append)
            await remote.start()
            await remote.subscribe([BTC], [Topic.QUOTES], market.append)
            await until(lambda: any(isinstance(e, BookQuote) for e in market))
            rest = limit("rest-1", BTC, Side.BUY, "0.02", "60000")
            assert (await remote.submit(rest)).outcome is Outcome.ACCEPTED
            stage.fault(FaultKind.DELAY, "order.place", seconds=5)
            flying = asyncio.create_task(
                remote.submit(limit("flying-1", BTC, Side.BUY, "0.02", "60000"))
            )
            await until(lambda: stage.at_venue == 2)
        answer = await flying
        assert answer.outcome is Outcome.UNRESOLVED
        assert "do not send it again" in answer.message
        await until(lambda: isinstance(market[-1], FeedStatus))
        assert market[-1].state is FeedState.STALE  # type: ignore[union-attr]
        away = limit("away-1", BTC, Side.BUY, "0.02", "60000")
        assert (await remote.submit(away)).outcome is Outcome.UNRESOLVED
        with pytest.raises(VenueUnavailable):
            await remote.open_orders()
        await until(lambda: remote.health().state is State.CONNECTING)
        await until(
            lambda: any(isinstance(e, StateChange) and e.state is State.CONNECTING for e in account)
        )

        count = len(market)
        async with service(stage, tmp_path, port):
            await until(lambda: any(isinstance(e, BookQuote) for e in market[count:]))
            await until(lambda: remote.health().state is State.READY)
            assert (await remote.query("flying-1")).state is OrderState.WORKING
            with pytest.raises(UnknownOrder):
                await remote.query("away-1")  # now it is known: it never arrived
            assert (await remote.submit(away)).outcome is Outcome.ACCEPTED
            assert stage.at_venue == 3

            async def told() -> bool:
                await remote.cancel("rest-1")
                return any(
                    isinstance(e, VenueOrder)
                    and (e.client_id, e.state) == ("rest-1", OrderState.CANCELLED)
                    for e in account
                )

            for _ in range(100):
                if await told():
                    break
                await asyncio.sleep(0.05)
            assert await told()
            await remote.stop()
        mover.cancel()


async def test_beyond_this_machine_a_token_is_needed() -> None:
    async with staged("binance", (BTC,), prepare=quoted, start=False) as stage:
        with pytest.raises(ValueError, match="give the service a token"):
            VenueServer(stage.connector, "0.0.0.0", 0)  # noqa: S104
        async with service(stage, None, token="right") as (server, _):  # noqa: S106
            for token in ("", "wrong"):
                remote = RemoteConnector(f"127.0.0.1:{server.port}", token)
                await remote.start()
                assert remote.health().state is State.REFUSED
                assert "token" in remote.health().reason
                with pytest.raises(VenueUnavailable, match="wants another token"):
                    await remote.instruments()
                with pytest.raises(VenueUnavailable, match="wants another token"):
                    await remote.subscribe([BTC], [Topic.QUOTES], print)
                order = await remote.submit(limit("t1", BTC, Side.BUY, "0.02", "60000"))
                assert order.outcome is not Outcome.ACCEPTED
                await remote.stop()
            remote = RemoteConnector(f"127.0.0.1:{server.port}", "right")
            await remote.start()
            assert [each.symbol for each in await remote.instruments()] == [BTC]
            await remote.stop()
        assert stage.at_venue == 0


async def test_a_slow_reader_is_told_and_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tradeloom.gateways.grpc.venue.GRPC_QUEUE_MAX", 300)
    async with (
        staged("binance", (BTC,), prepare=quoted, start=False) as stage,
        service(stage, None) as (server, behind),
        grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel,
    ):
        (subscribe,) = [m for m in rpc.SERVICES[rpc.MARKET_DATA] if m.name == "Subscribe"]
        call = channel.unary_stream(
            f"/{rpc.MARKET_DATA}/Subscribe",
            request_serializer=subscribe.request.SerializeToString,
            response_deserializer=subscribe.reply.FromString,
        )(pb.SubscribeRequest(symbols=[BTC]))
        await call.initial_metadata()
        await until(lambda: stage.venue.wanted("btcusdt@bookTicker"))
        deadline = asyncio.get_running_loop().time() + 20
        while behind.connector.feed._subscriptions:  # nobody reads
            assert asyncio.get_running_loop().time() < deadline
            for step in range(1_000):
                stage.quote(BTC, "61800.2", "61801.3", str(1 + step % 9))
            await asyncio.sleep(0.05)
        seen = 0

        async def read() -> None:
            nonlocal seen
            async for batch in call:
                seen += len(batch.events)

        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await read()
        assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert "events behind" in (refused.value.details() or "")
        assert seen > 0


async def test_standard_health_follows_the_state() -> None:
    status = health_pb2.HealthCheckResponse
    async with (
        staged("binance", (BTC,), prepare=quoted, start=False) as stage,
        service(stage, None) as (server, behind),
        grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel,
    ):
        stub: Any = health_pb2_grpc.HealthStub(channel)

        async def becomes(name: str, wanted: Any) -> None:
            async with asyncio.timeout(10):
                while True:
                    answer = await stub.Check(health_pb2.HealthCheckRequest(service=name))
                    if answer.status == wanted:
                        return
                    await asyncio.sleep(0.02)

        for name in ("", rpc.MARKET_DATA, rpc.TRADE_FLOW, rpc.ADMIN):
            await becomes(name, status.SERVING)
        await behind.connector.kill("a test")
        await becomes(rpc.TRADE_FLOW, status.NOT_SERVING)
        await becomes("", status.NOT_SERVING)
        await becomes(rpc.MARKET_DATA, status.SERVING)
        await behind.connector.reset("over")
        await becomes(rpc.TRADE_FLOW, status.SERVING)
        stage.fault(FaultKind.REFUSE_CONNECT, "/ws-api", count=100)
        stage.fault(FaultKind.CLOSE, "/ws-api")
        await becomes(rpc.TRADE_FLOW, status.NOT_SERVING)
        with pytest.raises(grpc.aio.AioRpcError):
            await stub.Check(health_pb2.HealthCheckRequest(service="nobody"))


async def test_a_client_made_from_the_proto_file_alone(tmp_path: Path) -> None:
    protoc = pytest.importorskip("grpc_tools.protoc", reason="grpcio-tools is not installed")
    made = protoc.main(
        ["", f"-I{PROTO.parent}", f"--python_out={tmp_path}", f"--grpc_python_out={tmp_path}",
         str(PROTO)]
    )  # fmt: skip
    assert made == 0
    async with (
        staged("binance", (BTC,), prepare=quoted, start=False) as stage,
        service(stage, None) as (server, _),
    ):
        mover = asyncio.create_task(moving(stage))
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, str(Path(__file__).with_name("foreign_client.py")), str(tmp_path)),
            *(f"127.0.0.1:{server.port}", BTC),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, errors = await asyncio.wait_for(process.communicate(), 60)
        mover.cancel()
        assert process.returncode == 0, errors.decode()[-2000:]
    said = json.loads(out)
    assert said.pop("links") >= 1
    assert set(said.pop("limits")) >= {"weight", "orders"}
    assert said == {
        "venue": "binance", "listed": [BTC], "bids": 6, "bars": 0, "quote": "quote", "submit": 0,
        "told": "order", "amend": 0, "volume": "0.01", "open": ["foreign-1"], "cancel": 0,
        "all": 0, "fills": 0, "positions": 0, "money": ["BTC", "USDT"],
        "dead man": "UNIMPLEMENTED", "killed": 0, "drained": True, "unknown": "NOT_FOUND",
    }  # fmt: skip
