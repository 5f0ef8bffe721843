"""Dated facts of Bybit v5."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from tradeloom.connectors.profile import Profile, Window
from tradeloom.domain.market import Topic

SPOT: Final = Profile(
    venue="bybit",
    title="Bybit spot",
    date="2026-07-24",
    port=5061,
    urls={
        "rest": "https://api.bybit.com",
        "public": "wss://stream.bybit.com/v5/public/spot",
        "private": "wss://stream.bybit.com/v5/private",
        "trade": "wss://stream.bybit.com/v5/trade",
    },
    windows=(
        Window("ip", 600, 5.0, fixed=True),
        Window("create", 20, 1.0, fixed=True),
        Window("amend", 10, 1.0, fixed=True),
        Window("cancel", 20, 1.0, fixed=True),
        Window("queries", 50, 1.0, fixed=True),
    ),
    features=(
        "amend",
        "cancel all",
        "cancel-on-disconnect (once Bybit allowed it for the account)",
        "order queries",
        "orders over a socket",
    ),
    client_id_max=36,
    quirks={
        "category": "spot",
        "dead_man_product": "SPOT",
        "dead_man_topic": "dcp.spot",
        "book_levels": 200,
        "recv_window_ms": 5_000,
        "login_ahead_ms": 10_000,
        # A request to subscribe takes 10 topics on spot; a connection 21,000 characters of topics.
        "topics_per_frame_max": 10,
        "symbols_per_link_max": 150,
        "frames_per_s": 10,
        "ping_s": 20.0,
        "silence_s": 35.0,
        "banned_s": 600.0,
    },
)

LINEAR: Final = replace(
    SPOT,
    venue="bybit_linear",
    title="Bybit linear perpetuals",
    port=5069,
    urls={**SPOT.urls, "public": "wss://stream.bybit.com/v5/public/linear"},
    windows=(
        Window("ip", 600, 5.0, fixed=True),
        Window("create", 10, 1.0, fixed=True),
        Window("amend", 10, 1.0, fixed=True),
        Window("cancel", 10, 1.0, fixed=True),
        Window("queries", 50, 1.0, fixed=True),
    ),
    topics=(Topic.QUOTES, Topic.TRADES, Topic.BOOK, Topic.FUNDING),
    features=(*SPOT.features, "positions"),
    quirks={
        **SPOT.quirks,
        "category": "linear",
        "dead_man_product": "DERIVATIVES",
        "dead_man_topic": "dcp.future",
    },
)
