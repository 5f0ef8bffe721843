"""The tables of the store, by subject."""

from __future__ import annotations

from .market import bars
from .meta import metadata
from .money import balance_operations, ledger_accounts, ledger_transfers
from .office import approvals, definition_changes, preferences
from .people import (
    account_owners,
    api_keys,
    audit,
    recovery_codes,
    refresh_tokens,
    roles,
    sessions,
    users,
)
from .trading import (
    accounts,
    currencies,
    fills,
    groups,
    instruments,
    margin_events,
    orders,
    positions,
    projection_state,
    trading_states,
)
from .venues import venue_keys

PROJECTED = (
    currencies,
    instruments,
    groups,
    accounts,
    orders,
    fills,
    positions,
    margin_events,
    trading_states,
    ledger_accounts,
    ledger_transfers,
    balance_operations,
)
"""What events fill: emptied and filled again by a rebuild."""

__all__ = [
    "PROJECTED",
    "account_owners",
    "accounts",
    "api_keys",
    "approvals",
    "audit",
    "balance_operations",
    "bars",
    "currencies",
    "definition_changes",
    "fills",
    "groups",
    "instruments",
    "ledger_accounts",
    "ledger_transfers",
    "margin_events",
    "metadata",
    "orders",
    "positions",
    "preferences",
    "projection_state",
    "recovery_codes",
    "refresh_tokens",
    "roles",
    "sessions",
    "trading_states",
    "users",
    "venue_keys",
]
