"""Every size, time and count of the bus, each with its reason."""

from __future__ import annotations

from typing import Final

# ---- streams ---------------------------------------------------------------------------------

# Entries of one stream before the oldest go, read or not. An entry carries up to 256 quotes: at
# 5,000 quotes/s and one entry a millisecond this is a quarter of an hour for a reader to come back.
LENGTH_MAX: Final = 1_000_000
# The in-process bus holds its entries on our own heap: a hundred thousand frames, ...
MEMORY_LENGTH_MAX: Final = 100_000
# ... and so many bytes over all streams; past them `publish` is refused.
MEMORY_BYTES_MAX: Final = 512 << 20
# One entry: a full book snapshot is about a megabyte; anything larger is not one of ours.
ENTRY_BYTES_MAX: Final = 8 << 20
# Entries of one `publish_many`: one transaction of Redis, which answers nobody else meanwhile.
BATCH_MAX: Final = 1_000
# Dead letters kept per stream: for people to read, and a thousand is more than they do.
DEAD_MAX: Final = 1_000

# ---- reading ---------------------------------------------------------------------------------

# Entries of one read: some hundred kilobytes, parsed in a few milliseconds.
READ_MAX: Final = 256
# A read waits at most this long for the first entry; then health is told and the dead looked for.
READ_WAIT_S: Final = 1.0
# Unacknowledged for this long: its consumer is taken for dead. Longer than any store takes a batch.
CLAIM_IDLE_S: Final = 30.0
# How often the dead are looked for.
CLAIM_EVERY_S: Final = 5.0
# An entry that was delivered this often and never acknowledged kills whoever reads it.
DELIVERIES_MAX: Final = 5
# Delivered this often, it is handed out alone, so that its neighbours are not blamed with it.
DELIVERIES_SUSPECT: Final = 2

# ---- Redis -----------------------------------------------------------------------------------

CONNECT_S: Final = 5.0
# An answer takes microseconds, an AOF rewrite stalls for a second; five seconds is a dead server.
# Must stay above READ_WAIT_S, which a blocking read uses up by design.
ANSWER_S: Final = 5.0
# Connections of one bus: a blocked read holds one each.
CONNECTIONS_MAX: Final = 32
# First and longest wait before a lost server is asked again, and the share that is random.
RETRY_FIRST_S: Final = 0.05
RETRY_MAX_S: Final = 2.0
RETRY_JITTER: Final = 0.5
