"""Every size, time and count the simulators bound themselves by, each with its reason."""

from __future__ import annotations

from typing import Final

# ---- connections -----------------------------------------------------------------------------

# Frames waiting for one reader. A burst of 20,000 recorded frames fits twice; past it the reader
# is cut with 1008, as venues cut slow readers.
OUTGOING_FRAMES_MAX: Final = 50_000
# A replay without pace waits for its readers once so many frames stand in any queue.
OUTGOING_FRAMES_EASY: Final = 5_000
# Frames written before the loop is given to others.
WRITE_BATCH: Final = 256
# The largest frame or body taken from a client: a batch of orders is a tenth of it.
FRAME_BYTES_MAX: Final = 256 << 10
BODY_BYTES_MAX: Final = 1 << 20
# Connections of one process; each costs some ten kilobytes.
SESSIONS_MAX: Final = 2_000
# How long a close handshake and the last writes may take.
CLOSE_S: Final = 1.0

# ---- the exchange ----------------------------------------------------------------------------

# Orders remembered per account, open ones always; the oldest finished ones are forgotten first.
ORDERS_KEPT: Final = 20_000
# Fills and market trades remembered per account and per instrument for queries.
FILLS_KEPT: Final = 20_000
TRADES_KEPT: Final = 1_000
# Open orders of one account and instrument: the larger venues allow 200.
OPEN_ORDERS_MAX: Final = 200
# Minute bars remembered per instrument: a little more than a day.
BARS_KEPT: Final = 1_500

# ---- market sources --------------------------------------------------------------------------

# One line of a recording: the largest full-depth snapshot seen is 2.3 MB.
LINE_BYTES_MAX: Final = 16 << 20
# Frames applied before the loop is given to others, in a replay without pace.
REPLAY_BATCH: Final = 64
# The longest silence of a recording that is played as such; longer ones are cut to it.
QUIET_S_MAX: Final = 10.0

# ---- faults ----------------------------------------------------------------------------------

# Faults armed at once and firings remembered for listing.
FAULTS_ARMED_MAX: Final = 1_000
FIRINGS_KEPT: Final = 1_000
