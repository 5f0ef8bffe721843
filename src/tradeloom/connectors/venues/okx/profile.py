"""Dated facts of OKX v5."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from tradeloom.connectors.profile import Need, Profile, Window
from tradeloom.domain.market import Topic

# Changes that are in here: socket orders name `instIdCode` (2026-02-03); the checksum of books is
# 0 on the live venue (2026), so that the sequence decides; notices 64008 before a restart.
SPOT: Final = Profile(
    venue="okx",
    title="OKX spot",
    date="2026-11-20",
    port=5063,
    urls={
        "rest": "https://www.okx.com",
        "public": "wss://ws.okx.com:8443/ws/v5/public",
        "private": "wss://ws.okx.com:8443/ws/v5/private",
    },
    windows=(
        Window("public", 20, 2.0, fixed=True),
        Window("account", 10, 2.0, fixed=True),
        Window("queries", 60, 2.0, fixed=True),
        # Per instrument at the venue; counted together here, which is never too much.
        Window("place", 60, 2.0, fixed=True),
        Window("amend", 60, 2.0, fixed=True),
        Window("cancel", 60, 2.0, fixed=True),
    ),
    needs=(Need.KEY, Need.SECRET, Need.PASSPHRASE),
    features=(
        "amend",
        "cancel all",
        "cancel-on-disconnect",
        "order queries",
        "orders over a socket",
    ),
    client_id_max=32,
    quirks={
        "inst_type": "SPOT",
        "book_levels": 400,
        "args_per_frame_max": 100,
        "symbols_per_link_max": 100,
        "frames_per_s": 3,
        "ping_s": 20.0,
        "silence_s": 30.0,
        "dead_man_s": (10, 120),
    },
)

SWAP: Final = replace(
    SPOT,
    venue="okx_swap",
    title="OKX perpetual swaps",
    port=5068,
    topics=(Topic.QUOTES, Topic.TRADES, Topic.BOOK, Topic.FUNDING),
    features=(*SPOT.features, "positions"),
    quirks={**SPOT.quirks, "inst_type": "SWAP"},
)
