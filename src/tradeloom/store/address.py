"""The address of a database: what a user writes, and what each driver wants to read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from .errors import StoreError


class BadAddress(StoreError):  # noqa: N818 - the name says what it is
    """An address that names no database we can use."""


@dataclass(frozen=True, slots=True)
class Address:
    """A database. `path` is the SQLite file, None for PostgreSQL; shown without its password."""

    url: URL
    path: Path | None

    @classmethod
    def parse(cls, text: str) -> Self:
        """`sqlite:///data/tradeloom.db` or `postgresql://user:password@host:port/name`.

        Raises BadAddress, whose text never repeats a password.
        """
        try:
            url = make_url(text)
        except ArgumentError:
            raise BadAddress(
                "the database address is not sqlite:///FILE or postgresql://USER@HOST/NAME"
            ) from None
        kind = url.drivername.partition("+")[0]
        if kind == "sqlite":
            if not url.database or url.database == ":memory:":
                raise BadAddress("SQLite needs a file: sqlite:///data/tradeloom.db")
            return cls(url.set(drivername="sqlite+aiosqlite"), Path(url.database))
        if kind in ("postgresql", "postgres"):
            return cls(url.set(drivername="postgresql+asyncpg"), None)
        raise BadAddress(f"{kind} is not supported; use sqlite:///FILE or postgresql://…")

    @classmethod
    def file(cls, path: Path) -> Self:
        """The SQLite database in a file."""
        return cls.parse(f"sqlite:///{path}")

    @property
    def dialect(self) -> Literal["sqlite", "postgresql"]:
        """Which of the two it is."""
        return "postgresql" if self.path is None else "sqlite"

    @property
    def dsn(self) -> str:
        """The plain address with its password, for a driver."""
        return self.url.set(drivername=self.dialect).render_as_string(hide_password=False)

    def __str__(self) -> str:
        return self.url.set(drivername=self.dialect).render_as_string(hide_password=True)

    def __repr__(self) -> str:
        return f"Address({self})"
