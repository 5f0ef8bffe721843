"""Every size and bound of the market-data room, each with its reason."""

from __future__ import annotations

from typing import Final

# Text is parsed in blocks whose columns stay in the second-level cache of a small machine.
BLOCK_BYTES: Final = 512 * 1024
# The longest line seen is a 1000-level depth snapshot of about 60 kB; ten times that is not a line.
LINE_BYTES_MAX: Final = 640 * 1024
# The engine's own bound on `price_digits` (architecture, Numbers).
PRICE_DIGITS_MAX: Final = 12
# Mantissas stay below 2**62 so that bid + ask and ask - bid cannot wrap.
MANTISSA_MAX: Final = 2**62 - 1
# 2262-04-11, the last whole day that UTC nanoseconds in an i64 can name.
TIMESTAMP_NS_MAX: Final = 9_223_286_400_000_000_000
# A folder tree of recordings; more files than this is a wrong folder, not a recording.
FILES_MAX: Final = 100_000
# Rows handed on at once: large enough that per-call cost vanishes, small enough to stay in cache.
CHUNK_ROWS: Final = 65_536
# Finished one-minute bars kept per symbol: a day and a half; older ones come from the store.
BARS_KEPT: Final = 2_048

# ---- streams ---------------------------------------------------------------------------------

# Events of one frame: 256 quotes are 25 kB, decoded in a tenth of a millisecond.
FRAME_EVENTS_MAX: Final = 256
# Frames of one transaction of the bus: 8,000 events, some milliseconds of work for Redis.
FRAMES_BATCH_MAX: Final = 32
# Events waiting for the bus: ten seconds of a busy venue. Past that quotes are conflated.
UNPUBLISHED_MAX: Final = 50_000
# Groups that must have stored an entry before it is trimmed.
DURABLE_GROUPS: Final = ("recorder", "bars")
# Entries stay at least this long, for a reader that joins late and wants a little past.
STREAM_KEPT_S: Final = 60.0
TRIM_EVERY_S: Final = 5.0
# The venue's clock and ours may differ by this; further apart, the venue's is taken for broken.
CLOCKS_APART_MAX_NS: Final = 3_600 * 10**9
# Runs of publishers whose frames are remembered per stream, and gaps per run.
PRODUCERS_MAX: Final = 256
RANGES_MAX: Final = 1_000

# ---- recorder --------------------------------------------------------------------------------

# Rows gathered before they are stored, and how long they may wait. COPY forgets its round trip
# after some thousand rows; a quarter of a second is what a screen of history may lag behind.
COPY_ROWS: Final = 20_000
COPY_EVERY_S: Final = 0.25
# A Parquet file is closed when it is written, so fewer and larger ones: a quarter of a million
# quotes are some 10 MB on the disk, and while they are written the next ones gather. Half a
# minute is what an embedded service loses of history when it is killed, and 2,880 files a day
# and symbol until the day is over and they are joined.
PARQUET_ROWS: Final = 250_000
PARQUET_EVERY_S: Final = 30.0
# A reader without news looks this often whether it should stop.
STOP_LOOK_S: Final = 0.2
# First and longest wait before a store that failed is tried again.
STORE_RETRY_FIRST_S: Final = 0.1
STORE_RETRY_MAX_S: Final = 5.0
# A COPY of one batch takes tens of milliseconds; a minute is a dead server.
STORE_ANSWER_S: Final = 60.0
# Rows of one page when recorded ticks are read back.
READ_ROWS: Final = 50_000
# Days that get a partition of their own: back to what an import may bring, and not a day that only
# a broken clock can mean. Other days go to the default partition.
PARTITION_DAYS_BACK: Final = 4_000
PARTITION_DAYS_AHEAD: Final = 2

# ---- bars ------------------------------------------------------------------------------------

# A tick may come this long behind the newest of its venue and still find its second open. Venues
# reorder within milliseconds; a stalled connection delivers within a few seconds.
BARS_LATE_S: Final = 5
# Later ones wait here to be put into finished bars; more than this at once is a replay by mistake.
BARS_LATE_WAITING_MAX: Final = 10_000
# Later than this they are counted and left out: their second-bars are not kept that long.
BARS_LATE_MAX_S: Final = 2 * 86_400
# How often bars are stored and published: what a chart that moves wants, one upsert per interval.
BARS_EVERY_S: Final = 1.0
# Holes of one symbol that wait to be filled from the venue's history; the oldest is given up.
BAR_HOLES_MAX: Final = 64
# A venue's history has a minute this long after its end.
HISTORY_DELAY_S: Final = 10
# Asking a venue for history, and the wait before it is asked again.
HISTORY_ANSWER_S: Final = 20.0
HISTORY_RETRY_S: Final = 30.0
# One question to a venue: what every one of them gives in one page.
HISTORY_BARS_MAX: Final = 500
# How long bars of short intervals are kept, in seconds by interval; longer ones for ever.
MARKET_BARS_KEPT_S: Final = {1: 3 * 86_400, 5: 14 * 86_400, 60: 800 * 86_400}

# ---- bridge ----------------------------------------------------------------------------------

# Tickers are shown four times a second: more than eyes read, a hundredth of what a venue sends.
TICKERS_EVERY_S: Final = 0.25
# Entries older than this tell full-rate readers nothing any more; tickers still learn of them.
BRIDGE_STALE_S: Final = 5.0
# Latencies remembered for the percentiles: the last few seconds of a busy stream.
BRIDGE_SAMPLES: Final = 2_048
