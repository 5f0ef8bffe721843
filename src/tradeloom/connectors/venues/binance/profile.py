"""Dated facts of Binance spot and USD-M futures."""

from __future__ import annotations

from typing import Final

from tradeloom.connectors.profile import Profile, Window
from tradeloom.domain.market import Topic

# Changes that are in here: Ed25519 or HMAC log-in of the WS API (listenKey of spot is gone since
# 2026-02-20), `serverShutdown` (2026-05-08), USD-M streams split by path (2026-04-23), conditional
# USD-M orders only as algo orders (2025-12-09), percent-encoding before signing (2026-01-15).
SPOT: Final = Profile(
    venue="binance",
    title="Binance spot",
    date="2026-07-21",
    port=5060,
    urls={
        "rest": "https://api.binance.com",
        "stream": "wss://stream.binance.com:9443/stream",
        "ws_api": "wss://ws-api.binance.com:443/ws-api/v3",
    },
    windows=(
        Window("weight", 6_000, 60.0, fixed=True),
        Window("orders", 100, 10.0, fixed=True),
        Window("orders a day", 200_000, 86_400.0, fixed=True),
    ),
    features=("amend volume down", "cancel all", "order queries", "orders over a socket"),
    client_id_max=36,
    quirks={
        "streams_per_link_max": 1_024,
        "names_per_frame_max": 200,
        "frames_per_s": 5,
        "age_max_s": 23.5 * 3_600,
        "silence_s": 60.0,
        "recv_window_ms": 5_000,
        "weight": {"book": 250, "book 100": 5, "info": 20, "order": 1, "open": 80, "trades": 20},
    },
)

USDM: Final = Profile(
    venue="binance_usdm",
    title="Binance USD-M futures",
    date="2026-07-21",
    port=5065,
    urls={
        "rest": "https://fapi.binance.com",
        "public": "wss://fstream.binance.com/public/stream",
        "market": "wss://fstream.binance.com/market/stream",
        "private": "wss://fstream.binance.com/private/ws",
        "ws_api": "wss://ws-fapi.binance.com/ws-fapi/v1",
    },
    windows=(
        Window("weight", 2_400, 60.0, fixed=True),
        Window("orders", 300, 10.0, fixed=True),
        Window("orders a minute", 1_200, 60.0, fixed=True),
    ),
    topics=(Topic.QUOTES, Topic.TRADES, Topic.BOOK, Topic.FUNDING),
    features=(
        "amend limit orders",
        "cancel all",
        "cancel-on-disconnect",
        "order queries",
        "orders over a socket",
        "positions",
    ),
    client_id_max=36,
    quirks={
        "streams_per_link_max": 1_024,
        "names_per_frame_max": 200,
        "frames_per_s": 10,
        "age_max_s": 23.5 * 3_600,
        "silence_s": 600.0,
        "recv_window_ms": 5_000,
        "listen_key_every_s": 1_800.0,
        "weight": {"book": 20, "book 100": 5, "info": 1, "order": 1, "open": 40, "trades": 5},
    },
)
