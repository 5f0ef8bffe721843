"""The front door: passwords, tokens, second factors, API keys, rights, and what logs may show."""

from __future__ import annotations

from .accounts import Security
from .door import NOBODY, Client, Door
from .errors import (
    BadCode,
    BadCredentials,
    BadToken,
    BadValue,
    InsecureSecrets,
    NotAllowed,
    NotFound,
    NotSignedIn,
    SecondFactorNeeded,
    SecurityError,
    Taken,
    TokenReused,
    TooMany,
)
from .people import NewAdmin, User
from .rights import Principal, Role, Scope
from .secret_file import Secrets
from .sessions import SessionRow, Tokens
from .vault import Vault, VaultRow

__all__ = [
    "NOBODY",
    "BadCode",
    "BadCredentials",
    "BadToken",
    "BadValue",
    "Client",
    "Door",
    "InsecureSecrets",
    "NewAdmin",
    "NotAllowed",
    "NotFound",
    "NotSignedIn",
    "Principal",
    "Role",
    "Scope",
    "SecondFactorNeeded",
    "Secrets",
    "Security",
    "SecurityError",
    "SessionRow",
    "Taken",
    "TokenReused",
    "Tokens",
    "TooMany",
    "User",
    "Vault",
    "VaultRow",
]
