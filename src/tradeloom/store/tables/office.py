"""Tables of the back office: preferences, what waits for a second person, changed definitions.

Times are UTC nanoseconds. Bodies are JSON text.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, String, Table, Text, UniqueConstraint

from .columns import RowNumber
from .meta import metadata

preferences = Table(
    "preferences",
    metadata,
    Column("user_id", BigInteger, ForeignKey("users.id"), primary_key=True, autoincrement=False),
    Column("name", String(64), primary_key=True),
    Column("value", Text, nullable=False),
    Column("updated", BigInteger, nullable=False),
)
approvals = Table(
    "approvals",
    metadata,
    Column("id", RowNumber, primary_key=True),
    Column("created", BigInteger, nullable=False),
    Column("expires", BigInteger, nullable=False),
    Column("requester", BigInteger, ForeignKey("users.id"), nullable=False),
    Column("operation", String(32), nullable=False),
    Column("target", String(128), nullable=False),
    Column("request", Text, nullable=False),
    Column("reason", String(200), nullable=False),
    Column("state", String(16), nullable=False),
    Column("decided_by", BigInteger, ForeignKey("users.id")),
    Column("decided", BigInteger),
    Column("note", String(200), nullable=False),
    Column("outcome", Text),  # what the engine said, once it was asked
    Column("key", String(32)),  # the requester's Idempotency-Key
    UniqueConstraint("requester", "key"),
    Index("approvals_state", "state", "id"),
)
definition_changes = Table(
    "definition_changes",
    metadata,
    Column("id", RowNumber, primary_key=True),
    Column("ts", BigInteger, nullable=False),
    Column("actor", BigInteger, ForeignKey("users.id"), nullable=False),
    Column("kind", String(16), nullable=False),  # instrument, group
    Column("name", String(64), nullable=False),
    Column("before", Text),  # None: it is new
    Column("after", Text, nullable=False),
    Column("reason", String(200), nullable=False),
    Column("reverts", BigInteger),  # the change this one takes back
    Column("approval", BigInteger),  # the approval it waited for
    Index("definition_changes_name", "kind", "name", "id"),
)
