"""Tables of people and what they may do: users, sessions, keys, roles, owners, audit.

Times are UTC nanoseconds. Nothing here can be used to sign in: passwords, tokens and keys are
hashes, the seed of a second factor is encrypted (tradeloom.security).
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    Table,
    Text,
)

from .columns import U64, RowNumber
from .meta import metadata

roles = Table(
    "roles",
    metadata,
    Column("role", String(32), primary_key=True),
    Column("scopes", Text, nullable=False),  # space separated
)
users = Table(
    "users",
    metadata,
    Column("id", RowNumber, primary_key=True),
    Column("login", String(128), nullable=False, unique=True),  # lower case
    Column("name", String(128), nullable=False, server_default=""),
    Column("role", String(32), ForeignKey("roles.role"), nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("must_change_password", Boolean, nullable=False),
    Column("disabled", Boolean, nullable=False),
    Column("totp_secret", LargeBinary),  # encrypted; None: no second factor
    Column("totp_on", Boolean, nullable=False),  # False while it was shown but not yet confirmed
    Column("totp_step", BigInteger, nullable=False),  # last time step used: no code works twice
    Column("created", BigInteger, nullable=False),
    Column("password_changed", BigInteger, nullable=False),
)
recovery_codes = Table(
    "recovery_codes",
    metadata,
    Column("hash", LargeBinary, primary_key=True),
    Column("user_id", BigInteger, ForeignKey("users.id"), nullable=False, index=True),
)
sessions = Table(
    "sessions",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("user_id", BigInteger, ForeignKey("users.id"), nullable=False, index=True),
    Column("created", BigInteger, nullable=False),
    Column("used", BigInteger, nullable=False),
    Column("expires", BigInteger, nullable=False),
    Column("ended", BigInteger),  # None: alive
    Column("address", String(64), nullable=False),
    Column("agent", String(256), nullable=False),
)
refresh_tokens = Table(
    "refresh_tokens",
    metadata,
    Column("hash", LargeBinary, primary_key=True),
    Column("session_id", String(32), ForeignKey("sessions.id"), nullable=False, index=True),
    Column("issued", BigInteger, nullable=False),
    Column("used", BigInteger),  # None: the newest of its session
)
api_keys = Table(
    "api_keys",
    metadata,
    Column("prefix", String(16), primary_key=True),
    Column("user_id", BigInteger, ForeignKey("users.id"), nullable=False, index=True),
    Column("name", String(128), nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("scopes", Text, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("expires", BigInteger),
    Column("used", BigInteger),
    Column("ended", BigInteger),
)
# Who owns which trading account; not a projection, so a rebuild leaves it alone.
account_owners = Table(
    "account_owners",
    metadata,
    Column("account", U64, primary_key=True),
    Column("user_id", BigInteger, ForeignKey("users.id"), nullable=False, index=True),
    Column("created", BigInteger, nullable=False),
)
audit = Table(
    "audit",
    metadata,
    Column("id", RowNumber, primary_key=True),
    Column("ts", BigInteger, nullable=False),
    Column("actor", BigInteger),  # user id; None: the system or an unknown caller
    Column("action", String(64), nullable=False),
    Column("target", String(128), nullable=False),
    Column("address", String(64), nullable=False),
    Column("detail", Text, nullable=False),  # JSON
    Index("audit_actor", "actor", "id"),
)
