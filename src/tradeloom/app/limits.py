"""Every time and size the running service bounds itself by, each with its reason."""

from __future__ import annotations

from typing import Final

# How often due ticks are handed on: two frames of a 60 Hz screen; each time costs one disk sync.
SLICE_S: Final = 0.05
# A silence in a recording longer than this (a night, a weekend) is skipped.
SILENCE_MAX_NS: Final = 10_000_000_000
# After falling behind by more than this (a suspended machine), the market goes on from now.
BEHIND_MAX_S: Final = 5.0
# Bytes of events waiting for the store. Past it the store reads them from the journal instead.
PROJECTION_BYTES_MAX: Final = 32 << 20
# Time between two tries to reach a database that is away: short against a restart of it.
DATABASE_RETRY_S: Final = 1.0
# Events written in one transaction: some ten milliseconds of a small disk's time.
PROJECTION_EVENTS: Final = 2_000
# What a start needs free on the disk: two journal segments and room for the database.
DISK_FREE_BYTES_MIN: Final = 512 << 20
# A disk slower than this to sync makes every order slow; `doctor` warns.
SYNC_WARN_MS: Final = 20.0
# A start that takes longer than this to its first quote is reported.
FIRST_QUOTE_S: Final = 3.0
# The event loop held longer than this is worth a warning in the log.
LOOP_LAG_WARN_S: Final = 0.5
