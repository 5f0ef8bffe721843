"""Every size, time and count the engine room bounds itself by, each with its reason."""

from __future__ import annotations

from typing import Final

# ---- journal ---------------------------------------------------------------------------------

# Large enough that a roll-over (two syncs more than a plain append) is rare, small enough that the
# last segment is scanned in a tenth of a second at start and that preparing one takes as long.
SEGMENT_BYTES: Final = 64 << 20
# The smallest segment that still holds its header page and one record; tests use small ones.
SEGMENT_BYTES_MIN: Final = 8 << 10
# One record is one batch. Bounded so that a damaged length can never ask for more memory than this.
RECORD_PAYLOAD_BYTES_MAX: Final = 16 << 20
# Zeros are written and synced in pieces, so that preparing a segment does not queue up in front of
# the sync of a batch for longer than this many bytes take.
PREPARE_CHUNK_BYTES: Final = 1 << 20
# After the disk refused a new segment: how long batches are refused before it is asked again.
PREPARE_RETRY_S: Final = 0.5
# How much of a segment is read at once; the price of a bad guess is one more read.
READ_CHUNK_BYTES: Final = 4 << 20

# ---- snapshots -------------------------------------------------------------------------------

# What a restart may cost: ten seconds of replay input at most (the durability rule of the house).
SNAPSHOT_EVERY_S: Final = 10.0
# A burst must not make recovery longer than about two seconds of replay at three million a second.
SNAPSHOT_EVERY_INPUTS: Final = 5_000_000
# The newest may be damaged by the disk, the one before it by a bug noticed late.
SNAPSHOTS_KEPT: Final = 3
# How often the follower looks for new records: short against the period, long against a batch.
FOLLOWER_POLL_S: Final = 0.25
# Following may take longer when the machine is busy; answering may not.
FOLLOWER_NICE: Final = 10
# Inputs applied in one call while replaying: long enough to forget the call, short enough that
# progress is shown and the follower can be stopped.
REPLAY_CHUNK_BYTES: Final = 1 << 20
# Chunks read and verified ahead of the one being applied; two keep both threads busy.
REPLAY_AHEAD: Final = 4

# ---- shard -----------------------------------------------------------------------------------

# One record. The same bound stands in the core (`core/src/limits.rs`, RECORD_MAX).
RECORD_BYTES_MAX: Final = 1 << 20
# Inputs waiting to be ordered. About a quarter of a second of work at full speed: past that a
# caller is better served by BUSY than by waiting.
QUEUE_INPUTS_MAX: Final = 1 << 17
# And in bytes, as a command may carry a long body.
QUEUE_BYTES_MAX: Final = 64 << 20
# One batch: a few milliseconds of core time; a lone command behind it waits that long.
BATCH_INPUTS_MAX: Final = 8192
BATCH_BYTES_MAX: Final = 2 << 20
# Bytes one caller may put into one submit; must fit a batch.
SUBMIT_BYTES_MAX: Final = BATCH_BYTES_MAX
# A lone submission is worked on by the event loop itself, saving two hand-overs between threads
# (about the time of a sync), while the batch before it took less than this. A slow disk must not
# stop the loop more than once.
LONE_BATCH_S_MAX: Final = 0.001
# And only a small one: a long one would keep the loop busy.
LONE_INPUTS_MAX: Final = 16
# Quotes waiting one by one; past this only the newest of each instrument is kept.
QUOTES_WAITING_MAX: Final = 4096
# Distinct instruments among waiting quotes: more than any broker lists.
QUOTE_INSTRUMENTS_MAX: Final = 1 << 16
# With nothing to do, time still passes: orders expire within this.
CLOCK_EVERY_S: Final = 1.0
# Python hands the interpreter lock over at this interval when two threads want it. The default of
# 5 ms would make the journal thread wait longer for the lock than for the disk.
SWITCH_INTERVAL_S: Final = 0.0002
# Time one hook may take for one command before its policy applies.
HOOK_BUDGET_S: Final = 0.002

# ---- embedding -------------------------------------------------------------------------------

# Newest events an embedded engine keeps in memory: about half a million, so that a reader who looks
# now and then never makes history again from the journal.
EVENTS_KEPT_BYTES: Final = 64 << 20
