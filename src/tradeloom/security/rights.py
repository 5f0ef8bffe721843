"""Roles and scopes: what a caller may do.

A role is a row `role -> scopes` (table `roles`, filled by the first migration, changeable); admin
has every scope. A key may have fewer scopes than its owner, never more.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from .errors import BadValue, NotAllowed


class Role(StrEnum):
    """Who somebody is."""

    TRADER = "trader"
    MANAGER = "manager"
    DEALER = "dealer"
    ADMIN = "admin"
    SERVICE = "service"


class Scope(StrEnum):
    """One thing that may be done."""

    PROFILE = "profile"  # own sessions, password, second factor, keys
    MARKET_READ = "market:read"  # instruments, quotes, bars
    ACCOUNTS_READ = "accounts:read"  # own accounts with all that is on them
    TRADE = "trade"  # own accounts
    ACCOUNTS_READ_ALL = "accounts:read_all"  # everybody's
    TRADE_ALL = "trade_all"
    ACCOUNTS_MANAGE = "accounts:manage"  # open, change, close
    MONEY = "money"  # deposits, withdrawals, credit, corrections
    INSTRUMENTS_MANAGE = "instruments:manage"  # instruments, groups, currencies
    STATE_MANAGE = "state:manage"  # trading state, kill switch
    LEDGER_READ = "ledger:read"
    USERS_READ = "users:read"
    USERS_MANAGE = "users:manage"  # traders only, unless roles:manage is there too
    ROLES_MANAGE = "roles:manage"  # give roles, say what a role may do, manage staff
    AUDIT_READ = "audit:read"
    SYSTEM_READ = "system:read"  # health in detail, metrics, journal


EVERY_SCOPE: Final = frozenset(Scope)
# What is left to somebody whose password must be changed first.
ONLY_PROFILE: Final = frozenset((Scope.PROFILE,))


@dataclass(frozen=True, slots=True)
class Principal:
    """A verified caller. `scopes`: what role and token or key both allow.

    `session`: of a person who signed in; `key`: the prefix of an API key; one of them is empty.
    `expires`: seconds since 1970, 0 never.
    """

    user_id: int
    login: str
    role: Role
    scopes: frozenset[Scope]
    accounts: frozenset[int] = field(default_factory=frozenset)
    session: str = ""
    key: str = ""
    expires: float = 0.0
    must_change_password: bool = False

    def may(self, scope: Scope) -> bool:
        """True if the scope is there."""
        return scope in self.scopes

    def need(self, scope: Scope) -> None:
        """Raise NotAllowed without the scope."""
        if scope not in self.scopes:
            raise NotAllowed(scope)

    def sees(self, account: int) -> bool:
        """True for the owner of an account, and for whom may read all."""
        return account in self.accounts or Scope.ACCOUNTS_READ_ALL in self.scopes


def scopes_of(role: str, stored: str) -> frozenset[Scope]:
    """The scopes of a role from its row; unknown words there are passed over."""
    if role == Role.ADMIN:
        return EVERY_SCOPE
    words = set(stored.split())
    return frozenset(scope for scope in Scope if scope.value in words)


def parse_scopes(words: Iterable[str]) -> frozenset[Scope]:
    """Scopes from what a user wrote; raises BadValue."""
    found = set()
    for word in words:
        try:
            found.add(Scope(word))
        except ValueError:
            known = " ".join(Scope)
            raise BadValue("scopes", f"an unknown scope; known are {known}") from None
    return frozenset(found)


def parse_role(word: str) -> Role:
    """A role from what a user wrote; raises BadValue."""
    try:
        return Role(word)
    except ValueError:
        raise BadValue("role", f"one of {', '.join(Role)}") from None


def may_manage(actor: Principal | None, *roles: Role | str) -> None:
    """Raise NotAllowed when `actor` (None: the system) may not make or change users of `roles`."""
    if actor is not None:
        actor.need(Scope.USERS_MANAGE)
        if any(role != Role.TRADER for role in roles):
            actor.need(Scope.ROLES_MANAGE)
