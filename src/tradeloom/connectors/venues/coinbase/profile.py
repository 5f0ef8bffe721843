"""Dated facts of Coinbase Advanced Trade."""

from __future__ import annotations

from typing import Final

from tradeloom.connectors.profile import Profile, Window

SPOT: Final = Profile(
    venue="coinbase",
    title="Coinbase spot",
    date="2026-07-24",
    port=5064,
    urls={
        "rest": "https://api.coinbase.com/api/v3/brokerage",
        "stream": "wss://advanced-trade-ws.coinbase.com",
        "user": "wss://advanced-trade-ws-user.coinbase.com",
    },
    windows=(
        Window("private", 30, 1.0, fixed=True),
        Window("public", 10, 1.0, fixed=True),
        Window("an hour", 10_000, 3_600.0),
    ),
    features=("amend price and volume", "cancel all", "order queries"),
    client_id_max=36,
    quirks={
        # Tokens name host and path of the call, wherever it is sent.
        "token_host": "api.coinbase.com",
        "token_path": "/api/v3/brokerage",
        "token_s": 120,
        "products_per_frame_max": 50,
        "frames_per_s": 8,
        # Heartbeats come every second.
        "silence_s": 10.0,
        # Whose side `market_trades` tells: the taker's (the older Exchange feed told the maker's).
        "trade_side": "taker",
        "cancels_per_call_max": 100,
        "candles_per_call_max": 300,
    },
    # The sockets differ by host alone.
    simulated_paths={"stream": "/ws", "user": "/ws-user"},
)
