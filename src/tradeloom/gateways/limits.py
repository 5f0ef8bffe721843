"""Every size, time and count the gateways bound themselves by, each with its reason."""

from __future__ import annotations

from typing import Final

# ---- events ----------------------------------------------------------------------------------

# Newest events kept in memory for readers that come back: about 150,000 events, minutes of a busy
# shard; older ones are made again from the journal.
RING_BYTES_MAX: Final = 16 << 20
# Inputs a late reader may make us replay: a tenth of a second of core time. Past it: too_old.
REPLAY_INPUTS_MAX: Final = 500_000
# Events a late reader may be sent at once: more would fill its queue before it can read.
REPLAY_EVENTS_MAX: Final = 5_000
# Answers whose events can still be looked up by cause; an answer is read in the same loop turn.
CAUSES_MAX: Final = 1 << 15

# ---- REST ------------------------------------------------------------------------------------

# The largest body a route takes; the longest valid one (a group with overrides) is a tenth of it.
BODY_BYTES_MAX: Final = 64 << 10
# A header of ours: request ids and idempotency keys are shorter.
HEADER_BYTES_MAX: Final = 16 << 10
# Rows of one page: a page stays below a megabyte.
PAGE_ROWS: Final = 100
PAGE_ROWS_MAX: Final = 1000
# Rows of one statement file: a year of a very busy account, still only some ten megabytes.
STATEMENT_ROWS_MAX: Final = 100_000
# One preference: a layout of twenty panels is four kilobytes.
PREFERENCE_BYTES_MAX: Final = 32 << 10
# Previews of one user: a person typing asks five times a second, and each costs milliseconds.
PREVIEWS_PER_S: Final = 20.0
PREVIEWS_BURST: Final = 60
# Exposure and margin levels are read from the whole book, at most this often, so many accounts at
# a time between which others have their turn.
OVERVIEW_EVERY_S: Final = 1.0
OVERVIEW_SLICE: Final = 50
# Accounts of one margin list: more in danger at once nobody reads.
MARGIN_ROWS_MAX: Final = 1_000
# Answers whose time is remembered for the health page: some minutes of a busy desk.
ANSWERS_TIMED: Final = 2_048
# Bars of one answer: a screen shows fewer.
BARS_MAX: Final = 5_000
# Verified tokens remembered, so that a hot client's token is verified once a second, not per call.
TOKENS_CACHED_MAX: Final = 10_000
TOKEN_CACHE_S: Final = 1.0
# While the database is away, callers it verified before go on trading for as long as this.
TOKEN_GRACE_S: Final = 600.0
# Clients whose request rate is remembered; the oldest are forgotten first.
CLIENTS_MAX: Final = 50_000
# The longest a caller waits for a durable answer before it is told that nobody knows yet.
ANSWER_S: Final = 10.0

# ---- WebSocket -------------------------------------------------------------------------------

# Connections of one process: each costs some ten kilobytes.
CONNECTIONS_MAX: Final = 5_000
# A client message: a subscription to every symbol fits ten times over.
FRAME_BYTES_MAX: Final = 32 << 10
# Time a connection has to say who it is.
AUTHENTICATE_S: Final = 10.0
# Events waiting for one reader. Quotes do not count, they are conflated per symbol.
OUTBOX_EVENTS_MAX: Final = 10_000
# A reader that takes nothing for so long while something waits is cut.
STALLED_S: Final = 15.0
# Subscribed symbols of one connection: more than any broker lists.
SYMBOLS_MAX: Final = 2_000
# How often quotes are flushed, unless the client asks otherwise: two frames of a 60 Hz screen.
QUOTE_INTERVAL_MS: Final = 33
QUOTE_INTERVAL_MIN_MS: Final = 0
QUOTE_INTERVAL_MAX_MS: Final = 10_000
# Client messages per second, after a burst; a person with a script stays far below.
MESSAGES_PER_S: Final = 50.0
MESSAGES_BURST: Final = 200
# How often the server pings, and how long it waits for the pong: below common proxy time-outs.
PING_S: Final = 20.0
PONG_S: Final = 20.0
# gRPC: events waiting for one reader. At 5,000 a second this is half a minute of standstill.
GRPC_QUEUE_MAX: Final = 150_000
# Events in one message: large enough that a burst costs few messages, small enough to stay quick.
GRPC_BATCH_MAX: Final = 256
# Calls and streams of one venue service at once.
GRPC_STREAMS_MAX: Final = 1_000
# What calls in flight get at a stop.
GRPC_DRAIN_S: Final = 5.0
