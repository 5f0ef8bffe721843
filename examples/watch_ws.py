"""Print quotes as they come over the WebSocket.

python examples/watch_ws.py ws://127.0.0.1:8000/ws TOKEN 10 EURUSD BTCUSDT
"""

import asyncio
import json
import sys

from websockets.asyncio.client import connect


async def main(url: str, token: str, count: int, symbols: list[str]) -> None:
    """Listen to `count` quotes."""
    headers = {"Authorization": f"Bearer {token}"}
    async with connect(url, additional_headers=headers, proxy=None) as socket:
        await socket.send(json.dumps({"op": "subscribe", "channel": "quotes", "symbols": symbols}))
        seen = 0
        async for text in socket:
            message = json.loads(text)
            for quote in message.get("quotes", ()):
                print(quote["symbol"], quote["bid"], quote["ask"], quote["time"])
                seen += 1
            if seen >= count:
                return


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4:]))
