"""Keys to other people's systems. The values are encrypted (tradeloom.security.vault)."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, LargeBinary, String, Table, Text

from .meta import metadata

venue_keys = Table(
    "venue_keys",
    metadata,
    Column("venue", String(32), primary_key=True),
    Column("account", String(32), primary_key=True),  # our name for it
    Column("sealed", LargeBinary, nullable=False),
    Column("holds", Text, nullable=False),  # names of the parts, space separated
    Column("created", BigInteger, nullable=False),
    Column("updated", BigInteger, nullable=False),
)
