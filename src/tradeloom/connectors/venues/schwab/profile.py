"""Schwab (Trader API, the successor of TD Ameritrade's) as of the date below. US equities.

Every call needs a sign-in of a person: an access token holds 30 minutes and is renewed with a
refresh token, which holds 7 days from the log-in and cannot be renewed. There is one streaming
connection per user, for prices and account alike; its address comes with the preferences.
"""

from __future__ import annotations

from typing import Final

from tradeloom.connectors.profile import Need, Profile, Window
from tradeloom.domain.market import Topic

VENUE: Final = "schwab"

# An access token is renewed when this share of its life is over.
RENEW_SHARE: Final = 0.8
# The streamer sends a heartbeat every few seconds; this long without one, and it is gone.
SILENCE_S: Final = 45.0
# Open orders are looked at this often, as the stream does not tell everything: 12 a minute of 120.
POLL_S: Final = 5.0
# After news of an order, its details are asked for; events of one moment share the question.
LOOK_S: Final = 0.05
# Symbols of one service.
KEYS_MAX: Final = 500
# How far the venue's whole seconds may be from the time at which we sent an order.
MATCH_BEFORE_S: Final = 5.0
MATCH_AFTER_S: Final = 60.0
# Orders in one answer, and how far back they are asked for at most.
ORDERS_MAX: Final = 3_000
ORDERS_BACK_DAYS: Final = 60
# A refused log-in is not asked about again for so long: a person must act first.
REFUSED_S: Final = 10.0
# When a 429 names no time: the budget is per minute.
TOO_MANY_WAIT_S: Final = 30.0
# Symbols in one question for quotes.
QUOTES_PER_CALL: Final = 300
# Where the browser goes after the log-in; must equal what the app was registered with.
REDIRECT: Final = "https://127.0.0.1:8182"

PROFILE: Final = Profile(
    venue=VENUE,
    title="Schwab US equities",
    date="2026-11-20",
    port=5083,
    urls={"rest": "https://api.schwabapi.com"},
    windows=(Window("requests", 120, 60.0, fixed=True), Window("orders", 120, 60.0, fixed=True)),
    topics=(Topic.QUOTES, Topic.TRADES, Topic.BOOK),
    needs=(Need.KEY, Need.SECRET, Need.REFRESH_TOKEN),
    features=(
        "limit, market, stop and stop-limit orders of the regular session",
        "amend by replacing",
        "cancel one by one",
        "bars of 1 to 30 minutes and of days",
        "quotes are conflated by the venue",
        "options: symbols=AAPL,MSFT  account=NUMBER  redirect=ADDRESS  short=on",
    ),
    quirks={
        "log-in": "a person logs in every 7 days; see `login_address` and `exchange_code`",
        "client ids": "none: an order whose answer was lost is found by what it is",
        "replace": "gives a new order id; the old order ends as REPLACED",
        "level one": "only changed fields are sent",
        "one connection": "a second log-in of the user gets code 12",
        "rest book": "there is none: a snapshot has the best bid and ask",
        "regex": "without the option symbols, the list comes from a search of [A-Z]+",
    },
)
