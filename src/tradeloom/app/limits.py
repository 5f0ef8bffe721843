"""Every time and size the running service bounds itself by, each with its reason."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

# How often due ticks are handed on: a frame of a 60 Hz screen; each time costs one disk sync.
SLICE_S: Final = 0.02
# A silence in a recording longer than this (a night, a weekend) is skipped.
SILENCE_MAX_NS: Final = 10_000_000_000
# After falling behind by more than this (a suspended machine), the market goes on from now.
BEHIND_MAX_S: Final = 5.0
# What a start needs free on the disk: two journal segments and room for the database.
DISK_FREE_BYTES_MIN: Final = 512 << 20
# A disk slower than this to sync makes every order slow; `doctor` warns.
SYNC_WARN_MS: Final = 20.0
# A start that takes longer than this to its first quote is reported.
FIRST_QUOTE_S: Final = 3.0
# How often bars are stored: what a kill may cost a chart.
BARS_EVERY_S: Final = 5.0
# Quotes waiting for their bars: ten minutes of the demo market, if the loop were ever so late.
BARS_WAITING_MAX: Final = 300_000
# A quote of a venue older than this is not traded on ...
VENUE_QUOTE_AGE_MS: Final = 15_000
# ... so a live symbol whose price does not move is quoted again this often.
QUIET_QUOTE_S: Final = 5.0
# How long a start waits for a venue's list of instruments.
VENUE_START_S: Final = 30.0
# Daily jobs: the first time when the start is long over, again every hour (each looks for what is
# a day old or more, so most find nothing), and soon when the database was away.
HOUSEKEEPING_FIRST_S: Final = 30.0
HOUSEKEEPING_EVERY_S: Final = 3_600.0
HOUSEKEEPING_RETRY_S: Final = 60.0

# ---- market data services --------------------------------------------------------------------

# A recorder or aggregator that is stopped gets this long to store what it has in hand.
DATA_STOP_S: Final = 30.0
# How often a service of market data says how it goes.
DATA_TELL_S: Final = 10.0
# Entries the in-process bus may be ahead of its readers while recordings are played into it.
FEED_AHEAD_MAX: Final = 10_000
# Clients of one bridge: a socket each, and every tick is encoded for each of them.
BRIDGE_CLIENTS_MAX: Final = 200
# A request names symbols; the longest list of a venue is some thousand names.
BRIDGE_REQUEST_BYTES_MAX: Final = 64 * 1024
# Events waiting for a full-rate client before it is sent away: two seconds of a busy venue.
BRIDGE_WAITING_MAX: Final = 10_000
# How often an ingest says what it has carried.
INGEST_TELL_S: Final = 60.0
# What a paper account at a venue starts with, of each money it settles in.
PAPER_MONEY: Final = Decimal(100_000)
