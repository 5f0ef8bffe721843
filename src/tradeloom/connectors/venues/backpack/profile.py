"""Backpack Exchange as of the date below. Times of its streams are microseconds."""

from __future__ import annotations

from typing import Final

from tradeloom.connectors.profile import Profile, Window
from tradeloom.domain.market import Topic

VENUE: Final = "backpack"

# How long a signature holds; the venue takes up to 60,000 ms.
WINDOW_MS: Final = 5_000
# Streams in one SUBSCRIBE frame.
STREAMS_PER_FRAME: Final = 100
# The venue pings once a minute; ours are answered at once, so that a dead link is noticed sooner.
HEARTBEAT_S: Final = 20.0
# A quiet account or symbol says nothing for long; the heartbeat is what tells that a link lives.
SILENCE_S: Final = 3_600.0
# The venue documents no acknowledgement of a subscription: an error comes at once or never.
SUBSCRIBE_WAIT_S: Final = 0.4
# Rows in one page of history, and candles in one answer.
PAGE_ROWS: Final = 1_000
BARS_PER_CALL: Final = 1_000
# When a 429 names no time.
TOO_MANY_WAIT_S: Final = 10.0

PROFILE: Final = Profile(
    venue=VENUE,
    title="Backpack Exchange",
    date="2026-11-20",
    port=5082,
    urls={
        "rest": "https://api.backpack.exchange",
        "ws": "wss://ws.backpack.exchange",
    },
    windows=(Window("requests", 2_000, 60.0, fixed=True),),
    topics=(Topic.QUOTES, Topic.TRADES, Topic.BOOK, Topic.FUNDING),
    features=(
        "limit, market and stop orders",
        "post-only, reduce-only",
        "cancel-all of one symbol in one call",
        "bars of 1 minute to 1 week",
    ),
    client_id_max=10,
    quirks={
        "client ids": "32-bit numbers: ours are hashed to one",
        "amend": "none: cancel, and place a new order",
        "acknowledgement": "a subscription may be answered or not",
        "u of bookTicker": "text in the documentation, a number on the wire",
        "503": "on a placement its outcome is unknown",
    },
)
