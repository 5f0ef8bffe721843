"""Every bound and timeout of the connectors, each with its reason."""

from __future__ import annotations

from typing import Final

# One frame: the full level-2 snapshot of a liquid Coinbase product is several megabytes.
FRAME_BYTES_MAX: Final = 16 * 1024 * 1024
# One REST body: exchangeInfo of Binance is 15 MB with all symbols.
REPLY_BYTES_MAX: Final = 64 * 1024 * 1024
# How much of a frame nobody understands is logged, once per kind.
FRAME_LOGGED_BYTES: Final = 512
# Kinds of odd frames remembered; a hostile peer must not grow the set.
ODD_KINDS_MAX: Final = 256

CONNECT_TIMEOUT_S: Final = 10.0
# A REST query; venues answer in 20 to 500 ms, and 10 s is what their own clients use.
QUERY_TIMEOUT_S: Final = 10.0
# An order call: after this it is unresolved and asked for by id.
ORDER_TIMEOUT_S: Final = 5.0
# How long `start` waits for READY before it returns and goes on in the background.
START_TIMEOUT_S: Final = 30.0
LOGIN_TIMEOUT_S: Final = 10.0
CLOSE_TIMEOUT_S: Final = 2.0

# Reconnecting: first wait, longest wait, and the share of each wait that is random.
BACKOFF_FIRST_S: Final = 0.25
BACKOFF_MAX_S: Final = 30.0
BACKOFF_JITTER: Final = 0.5
# A connection that lived this long starts over with the first wait.
BACKOFF_RESET_S: Final = 60.0

# A call waits at most this long for the venue's budget to open; then it is refused as too frequent.
BUDGET_WAIT_MAX_S: Final = 2.0
# Of each published budget we use this much: other programs may share the address or the key.
BUDGET_SHARE: Final = 0.9

# Asking for the fate of an unresolved order: first after 0.2 s, then doubling up to 5 s.
RESOLVE_FIRST_S: Final = 0.2
RESOLVE_MAX_S: Final = 5.0
# A venue that still knows nothing of the order after this long never got it.
RESOLVE_UNKNOWN_S: Final = 10.0
# How far back fills are asked for when a connector starts without a memory.
FILLS_BACK_NS: Final = 3_600 * 10**9
# Answers of a venue lag behind its own fills; ask again from a little before the last one seen.
FILLS_OVERLAP_NS: Final = 60 * 10**9
# While connected, the venue is compared with what we know this often.
RECONCILE_EVERY_S: Final = 60.0
# … and this often where there is no private stream: a compromise between news and rate limits.
CCXT_POLL_S: Final = 5.0
# Orders and fills waiting to be written; more means the disk is gone and orders are refused.
STORE_QUEUE_MAX: Final = 10_000
# Closed orders kept in memory for queries; the file keeps all.
CLOSED_KEPT: Final = 10_000
# Trade ids remembered in memory before the file is asked.
FILL_IDS_KEPT: Final = 100_000

# Deltas kept while a snapshot is fetched: Binance sends 10 a second, bursts of 100.
BOOK_BUFFER_MAX: Final = 2_000
# A book whose symbol is quiet after subscribing is fetched after this long without a delta.
QUIET_BOOK_S: Final = 0.5
# A symbol that needs more than this many resyncs a minute is marked stale and retried slowly.
RESYNCS_PER_MINUTE_MAX: Final = 12
# Frames older than this mark their symbol stale; quiet symbols of live links are not stale.
SILENCE_MAX_S: Final = 30.0
# A quote further than this from the last good one is quarantined (a share of the price) ...
JUMP_MAX: Final = 0.10
# ... unless this many in a row agree with each other: then the market did move.
JUMP_AGREEING: Final = 3
# Clock: samples kept, time between them, and the offset at which signed calls would fail.
CLOCK_SAMPLES: Final = 8
CLOCK_EVERY_S: Final = 60.0
CLOCK_OFFSET_MAX_MS: Final = 900.0
# Events waiting for a slow listener of an event stream before it is cut off.
LISTENER_QUEUE_MAX: Final = 100_000
# An instrument list is fetched again this often: listings, tick sizes and halts change.
INSTRUMENTS_EVERY_S: Final = 3_600.0
# How often a remote connector's health is fetched; its state changes are told at once.
REMOTE_HEALTH_EVERY_S: Final = 1.0
# Paper accounts: how long an order waits for the first price of its symbol, and what a derivative
# position may be of its margin.
PAPER_QUOTE_WAIT_S: Final = 3.0
PAPER_LEVERAGE: Final = 10
# Orders of one market whose connection is remembered; older ones ended long ago.
TAKERS_KEPT: Final = 100_000
