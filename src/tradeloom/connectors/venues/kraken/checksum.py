"""The checksum that holds a Kraken book together, the same in both versions of its sockets."""

from __future__ import annotations

from collections.abc import Sequence
from zlib import crc32

from tradeloom.domain.market import Level

_LEVELS = 10


def book_checksum(bids: Sequence[Level], asks: Sequence[Level], lot: int = 1) -> int:
    """CRC32 over the ten best asks, then bids: digits of price and size without leading zeros.

    Mantissas are those digits already. `lot` is the size (1e-8) of the last written decimal.
    """
    text = "".join(
        f"{price}{size // lot}" for side in (asks[:_LEVELS], bids[:_LEVELS]) for price, size in side
    )
    return crc32(text.encode())
