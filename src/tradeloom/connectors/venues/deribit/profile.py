"""Deribit as of the date below.

Amounts are USD on inverse perpetuals (BTC-PERPETUAL) and base currency on linear ones
(BTC_USDC-PERPETUAL). Times are milliseconds. Trading goes over the signed-in socket, so that
cancel-on-disconnect covers it.
"""

from __future__ import annotations

from typing import Final

from tradeloom.connectors.profile import Profile, Window
from tradeloom.domain.market import Topic

VENUE: Final = "deribit"

# What one call costs (credits of the pool, or a place in the matching engine's queue).
CALL_CREDITS: Final = 500.0
SUBSCRIBE_CREDITS: Final = 3_000.0
# Heartbeats: the venue's shortest interval, so that a dead connection is noticed within 30 s.
HEARTBEAT_S: Final = 10
SILENCE_S: Final = 30.0
# Channels in one subscription: far below the frame limit, and one credit charge each.
CHANNELS_PER_CALL: Final = 200
# Trades of the account in one answer, and how long the fast archive holds them.
TRADES_PER_CALL: Final = 1_000
RECENT_TRADES_MS: Final = 24 * 3_600_000
# Candles in one answer.
BARS_PER_CALL: Final = 5_000
# How often waiting private frames and token renewals are looked at before the first sign-in.
SIGN_IN_LOOK_S: Final = 1.0

PROFILE: Final = Profile(
    venue=VENUE,
    title="Deribit perpetuals",
    date="2026-11-20",
    port=5081,
    urls={
        "rest": "https://www.deribit.com/api/v2",
        "ws": "wss://www.deribit.com/ws/api/v2",
    },
    windows=(
        Window("credits", 50_000, 5.0),
        Window("matching", 20, 4.0),
        Window("instruments", 1, 1.0),
    ),
    topics=(Topic.QUOTES, Topic.TRADES, Topic.BOOK, Topic.FUNDING),
    features=(
        "limit, market and stop orders",
        "post-only, reduce-only",
        "amend in place",
        "cancel-all in one call",
        "cancel on disconnect of the trading connection",
        "continuous funding",
        "bars of 1 minute to 1 day",
    ),
    client_id_max=64,
    quirks={
        "test": "wss://test.deribit.com/ws/api/v2 takes the keys of test.deribit.com only",
        "raw channels": "only on a signed-in connection; option raw_streams=on uses them",
        "test_request": "unanswered, the venue cuts the connection and cancels on disconnect",
        "10028": "an empty credit pool closes the session",
        "post_only": "re-priced unless reject_post_only is set; we always set it",
        "trades": "older than 24 h only with historical=true",
    },
)
