"""A process of its own that plays Binance's part of a benchmark: as many quotes as asked for.

It answers what the connector asks before it subscribes, and then sends book tickers of BTCUSDT:
`?burst=N` at once, or `?rate=N&count=M` evenly. The update id of each is the monotonic clock when
it was sent, which all processes of a machine share, so the receiver knows how old a quote is.

    python -m benchmarks.frame_source PORT
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time

from aiohttp import WSMsgType, web

SYMBOL = "BTCUSDT"
INFO = {
    "rateLimits": [],
    "symbols": [
        {
            "symbol": SYMBOL,
            "status": "TRADING",
            "baseAsset": "BTC",
            "quoteAsset": "USDT",
            "filters": [
                {"filterType": "PRICE_FILTER", "tickSize": "0.01000000"},
                {"filterType": "LOT_SIZE", "stepSize": "0.00001000", "minQty": "0.00001000"},
            ],
        }
    ],
}
HEAD = '{"stream":"btcusdt@bookTicker","data":{"u":'
# Sleeping is good to a millisecond or so: what is due is sent together, as venues do.
SLICE_S = 0.002


def frame(number: int) -> str:
    """One quote, stamped with now."""
    price = 61_800_00 + number % 500
    return (
        f'{HEAD}{time.monotonic_ns()},"s":"{SYMBOL}","b":"{price / 100:.2f}000000",'
        f'"B":"{1 + number % 7}.00500000","a":"{(price + 1) / 100:.2f}000000","A":"0.70000000"}}}}'
    )


async def stream(request: web.Request) -> web.WebSocketResponse:
    """Send what was asked for once a subscription came."""
    socket = web.WebSocketResponse(compress=False)
    await socket.prepare(request)
    plan = json.loads(os.environ.get("FRAME_PLAN", "{}"))
    async for message in socket:
        if message.type is not WSMsgType.TEXT:
            continue
        asked = json.loads(message.data)
        await socket.send_str(json.dumps({"result": None, "id": asked["id"]}))
        if asked["method"] == "SUBSCRIBE":
            await asyncio.sleep(plan.get("after_s", 0.5))
            await _send(socket, plan)
    return socket


async def _send(socket: web.WebSocketResponse, plan: dict[str, float]) -> None:
    for number in range(int(plan.get("burst", 0))):
        await socket.send_str(frame(number))
    rate, count = plan.get("rate", 0.0), int(plan.get("count", 0))
    began, sent = time.monotonic(), 0
    while sent < count:
        due = min(int((time.monotonic() - began) * rate) + 1, count)
        while sent < due:
            await socket.send_str(frame(sent))
            sent += 1
        await asyncio.sleep(SLICE_S)


async def info(request: web.Request) -> web.Response:
    """exchangeInfo."""
    return web.json_response(INFO)


async def clock(request: web.Request) -> web.Response:
    """The time."""
    return web.json_response({"serverTime": time.time_ns() // 1_000_000})


def main(port: int) -> None:
    """Serve until told to stop."""
    import uvloop

    uvloop.install()
    app = web.Application()
    app.router.add_get("/binance/stream", stream)
    app.router.add_get("/binance/api/v3/exchangeInfo", info)
    app.router.add_get("/binance/api/v3/time", clock)
    web.run_app(app, host="127.0.0.1", port=port, print=None, access_log=None)


if __name__ == "__main__":
    main(int(sys.argv[1]))
