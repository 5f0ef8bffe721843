"""Column types that keep the engine's integers exact on both databases.

Prices and volumes are i64 and fit BIGINT. Money is i128 (units of 1e-8): NUMERIC(39) on PostgreSQL,
decimal text on SQLite, which would turn a larger number into a float. Ids are u64 and stored as
the i64 with the same bits: equality, joins and joins' order hold for all ids below 2^63, which are
all the engine gives out; account numbers and tags above it only sort differently.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from sqlalchemy import BigInteger, Dialect, Integer, Numeric, Text
from sqlalchemy.types import TypeDecorator

_SIGN: Final = 1 << 63
_MASK: Final = (1 << 64) - 1
WIDE_DIGITS: Final = 39  # 2^127 has 39 decimal digits


def signed(number: int) -> int:
    """The i64 with the bits of a u64; an i64 stays what it is."""
    return number - _MASK - 1 if number >= _SIGN else number


class Wide(TypeDecorator[int]):
    """An i128: NUMERIC(39) or decimal text."""

    impl = Text().with_variant(Numeric(WIDE_DIGITS, 0), "postgresql")
    cache_ok = True

    def process_bind_param(self, value: int | None, dialect: Dialect) -> Any:
        """Exact text for SQLite, Decimal for PostgreSQL."""
        if value is None:
            return None
        return Decimal(value) if dialect.name == "postgresql" else str(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> int | None:
        """Back to int."""
        return None if value is None else int(value)


class U64(TypeDecorator[int]):
    """A u64 in a BIGINT."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: int | None, dialect: Dialect) -> int | None:
        """The i64 with the same bits."""
        return None if value is None else signed(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> int | None:
        """Back to the u64."""
        return None if value is None else value & _MASK


# SQLite counts rows by itself only in a column that is exactly INTEGER.
RowNumber = BigInteger().with_variant(Integer, "sqlite")
