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
