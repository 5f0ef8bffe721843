"""Brings the tables of a database to the newest version (Alembic, from inside the package)."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from sqlalchemy import Connection, insert, inspect, text

from .errors import StoreError
from .tables import metadata, roles

SCRIPTS: Final = Path(__file__).with_name("migrations")
# Any number: two processes that start at once must not migrate at once.
_LOCK: Final = 7_302_011

# What each role may do on a new installation after all migrations (a test holds the two together);
# admin has every scope whatever stands here.
FIRST_ROLES: Final = (
    ("trader", "profile market:read accounts:read trade"),
    (
        "manager",
        (
            "profile market:read accounts:read accounts:read_all accounts:manage money "
            "users:read users:manage ledger:read audit:read"
        ),
    ),
    (
        "dealer",
        (
            "profile market:read accounts:read accounts:read_all trade trade_all state:manage "
            "instruments:manage ledger:read system:read"
        ),
    ),
    ("admin", ""),
    ("service", "market:read accounts:read_all trade_all system:read"),
)


class NewerDatabase(StoreError):  # noqa: N818 - the name says what it is
    """The tables are of a version this program does not know."""


def versions() -> list[str]:
    """The versions this program knows, oldest first: a script is named `VERSION_what.py`."""
    return sorted(path.name.partition("_")[0] for path in SCRIPTS.glob("versions/[0-9]*.py"))


def migrate(connection: Connection) -> None:
    """Run the migrations that are missing, in the caller's transaction; raises NewerDatabase."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    known, current = versions(), _current(connection)
    if current == known[-1]:
        return
    if current is not None and current not in known:
        raise NewerDatabase(
            f"the database is at version {current}, which this program does not know; "
            "start the newer program that made it"
        )
    if current is None and connection.dialect.name == "sqlite":
        create(connection)
    else:
        upgrade(connection)


def create(connection: Connection) -> None:
    """Make the newest tables in an empty SQLite file: what `upgrade` makes there, much sooner."""
    metadata.create_all(connection)
    connection.execute(insert(roles), [{"role": r, "scopes": s} for r, s in FIRST_ROLES])
    connection.execute(
        text(
            "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL, "
            "CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))"
        )
    )
    newest = {"version": versions()[-1]}
    connection.execute(text("INSERT INTO alembic_version VALUES (:version)"), newest)


def upgrade(connection: Connection) -> None:
    """Run the migrations that are missing, in order."""
    # Only here: Alembic costs a quarter of a second that most starts need not pay.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _current(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return None if found is None else str(found)
