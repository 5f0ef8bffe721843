"""Dated facts of Kraken spot."""

from __future__ import annotations

from typing import Final

from tradeloom.connectors.profile import Profile, Window

# Counters of Kraken fall evenly, which is a window of (threshold, threshold / decay a second).
TIERS: Final[dict[str, tuple[Window, Window]]] = {
    "starter": (Window("rest", 15, 45.0), Window("orders", 60, 60.0)),
    "intermediate": (Window("rest", 20, 40.0), Window("orders", 125, 53.4)),
    "pro": (Window("rest", 20, 20.0), Window("orders", 180, 48.0)),
}
"""Verification tier (option `tier`) -> REST counter, and the order counter of one pair."""

SPOT: Final = Profile(
    venue="kraken",
    title="Kraken spot",
    date="2026-07-21",
    port=5062,
    urls={
        "rest": "https://api.kraken.com",
        "stream": "wss://ws.kraken.com/v2",
        "private": "wss://ws-auth.kraken.com/v2",
    },
    windows=(
        Window("public", 10, 10.0),  # about one call a second and address
        TIERS["starter"][0],
    ),
    features=(
        "amend price and volume",
        "cancel all",
        "cancel-on-disconnect",
        "order queries",
        "orders over a socket",
    ),
    client_id_max=32,
    quirks={
        "book_depth": 100,
        "symbols_per_frame_max": 100,
        "frames_per_s": 10,
        "heartbeat_s": 1.0,
        # No heartbeat for so long means that the link is dead.
        "silence_s": 10.0,
        "client_id_text_max": 18,  # longer ids go out as a UUID made from them
        "token_s": 900.0,
    },
    simulated_paths={"private": "/auth/v2"},
)
