"""Every size, time and count the store bounds itself by, each with its reason."""

from __future__ import annotations

from typing import Final

# ---- writer ----------------------------------------------------------------------------------

# Events wait this long for company before they are committed: one commit costs about as much as a
# hundred rows, and a screen that shows history does not notice ten milliseconds.
COMMIT_EVERY_S: Final = 0.010
# One transaction: about 8,000 events. Long enough to forget the commit, short enough that other
# writers of a SQLite file (sign-in, audit) wait for a fraction of their busy timeout.
BATCH_BYTES: Final = 2 << 20
# Events waiting for the database. A quarter million of them: five seconds at full speed. Past that
# the queue is dropped and the journal is read again once the database answers: nothing is lost and
# nobody who trades waits.
QUEUE_BYTES_MAX: Final = 64 << 20
# First and longest pause after a failed transaction. The first outlasts a hiccup; the longest is
# what a repaired database waits at most until it is used again.
RETRY_FIRST_S: Final = 0.05
RETRY_MAX_S: Final = 2.0

# ---- connections -----------------------------------------------------------------------------

# A SQLite writer waits this long for the other one; its transactions are 100 ms at the very most.
SQLITE_BUSY_MS: Final = 5_000
# Pages of the write-ahead log before it is folded back: 16 MB, so that a burst is not interrupted.
SQLITE_CHECKPOINT_PAGES: Final = 4_000
# Page cache of one connection in KiB: holds the right-hand edges of all indexes.
SQLITE_CACHE_KIB: Final = 16_384
# Readers of a SQLite file at once; each is a thread, and more than the cores do not help.
SQLITE_READERS: Final = 4
# Connections to PostgreSQL that reads and sign-ins share.
POSTGRES_CONNECTIONS: Final = 8
# A statement that takes longer than this is a bug or a broken server, not a slow answer.
POSTGRES_STATEMENT_S: Final = 30.0
POSTGRES_CONNECT_S: Final = 5.0

# ---- reads -----------------------------------------------------------------------------------

# Rows of one page: what a screen shows, and what a program may ask for at most.
PAGE_ROWS: Final = 100
PAGE_ROWS_MAX: Final = 1_000
# A cursor is three numbers and a name; anything longer is not one of ours.
CURSOR_CHARACTERS_MAX: Final = 128
# Bars of one answer: a month of minutes would be 43,200; charts ask for what they draw.
BARS_MAX: Final = 5_000

# ---- people ----------------------------------------------------------------------------------

# Names one user may have remembered: layouts, lists and settings of many screens.
PREFERENCES_MAX: Final = 64

# ---- bars ------------------------------------------------------------------------------------

# How long bars are kept, by interval in seconds: a second-bar is of use for days, not for years
# (24 instruments write two million of them a day). Longer intervals are kept for ever.
BARS_KEPT_S: Final = {1: 3 * 86_400, 60: 400 * 86_400}
# Native partitions cover a month; they exist this many months ahead so that none is ever missing.
PARTITIONS_AHEAD: Final = 3
# A quote may come this late and still count in its bar; a bar this far behind is finished.
BAR_LATE_S: Final = 5
