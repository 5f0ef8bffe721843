"""Schwab: US equities, for one user who logs in every week."""

from tradeloom.connectors.venues.schwab.oauth import Tokens, code_in, exchange_code, login_address

__all__ = ["Tokens", "code_in", "exchange_code", "login_address"]
