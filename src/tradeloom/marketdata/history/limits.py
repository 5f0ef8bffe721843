"""Every size and bound of the history catalog, each with its reason."""

from __future__ import annotations

from typing import Final

# Rows gathered before a commit: a file worth compressing, and a second of work lost by a kill.
BATCH_ROWS: Final = 1_000_000
# Rows of one file after compaction: about 10 MB of quotes, read into memory at once.
PART_ROWS_MAX: Final = 2_000_000
# Commits kept as single files before they are folded into one state file.
LOG_ENTRIES_MAX: Final = 128
# Text that names a venue or symbol becomes a folder name, which file systems cut at 255 bytes.
NAME_BYTES_MAX: Final = 200
# Examples kept of every kind of fault, and gaps listed for one stream: enough to see the pattern.
EXAMPLES_MAX: Final = 5
GAPS_MAX: Final = 20
# A pause longer than this while the market is open is reported, unless the caller says otherwise.
GAP_NS: Final = 10 * 60 * 1_000_000_000
# Clock differences are counted in whole milliseconds up to this far; more is no clock but an error.
SKEW_MS_MAX: Final = 3_600_000
# Lines looked at to tell a CSV file's dialect.
SNIFF_LINES: Final = 64
# A reader that meets a log being folded starts again; a folding takes far less than one try.
LOG_TRIES: Final = 20
# The largest JSON frame of a capture that is decoded: a 1,000-level snapshot is about 60 kB.
FRAME_BYTES_MAX: Final = 640 * 1024
# Files of one commit written at a time: writing waits for the disk more than for a processor.
WRITERS_MAX: Final = 4
