"""How the front door says no.

    SecurityError
    ├── NotSignedIn            who is this?
    │   ├── BadCredentials     unknown login or wrong password: the same answer for both
    │   ├── SecondFactorNeeded the password was right, a code is needed
    │   ├── BadCode            that code was wrong or used before
    │   ├── BadToken           forged, damaged, expired or ended token or key
    │   └── TokenReused        a refresh token came twice: the session was ended
    ├── NotAllowed             known, but without the scope
    ├── TooMany                rate limit or lockout: `retry_after_s`
    ├── BadValue               a login, password, scope … that cannot be used: `field`
    ├── Taken                  the login exists
    ├── NotFound               no such user, session or key
    └── InsecureSecrets        the file of secrets is readable by others, damaged or not ours

No text contains a password, token, key or code, nor says whether a login exists.
"""

from __future__ import annotations

import math
from typing import Final


class SecurityError(Exception):
    """Everything the security room raises on purpose."""


class NotSignedIn(SecurityError):  # noqa: N818 - the name says what it is
    """It is not known who asks."""


class BadCredentials(NotSignedIn):
    """Unknown login, wrong password or a user who may not sign in."""

    def __init__(self) -> None:
        super().__init__("login or password is wrong")


class SecondFactorNeeded(NotSignedIn):
    """Sign in again with the code of the authenticator."""

    def __init__(self) -> None:
        super().__init__("a code of the second factor is needed")


class BadCode(NotSignedIn):
    """A wrong or used code of the second factor."""

    def __init__(self) -> None:
        super().__init__("the code is wrong or was used before")


class BadToken(NotSignedIn):
    """A token or key that does not open anything. `expired`: it once did."""

    def __init__(self, *, expired: bool = False) -> None:
        self.expired: Final = expired
        super().__init__("the token has expired" if expired else "the token is not valid")


class TokenReused(NotSignedIn):
    """A refresh token was used twice, so one of the two users was a thief: both are signed out."""

    def __init__(self) -> None:
        super().__init__("the refresh token was used before; the session is ended, sign in again")


class NotAllowed(SecurityError):  # noqa: N818 - the name says what it is
    """The scope is missing."""

    def __init__(self, scope: str) -> None:
        self.scope: Final = scope
        super().__init__(f"this needs the scope {scope}")


class TooMany(SecurityError):  # noqa: N818 - the name says what it is
    """Try again after `retry_after_s` seconds."""

    def __init__(self, retry_after_s: float) -> None:
        self.retry_after_s: Final = retry_after_s
        super().__init__(f"too many attempts; try again in {math.ceil(retry_after_s)} s")


class BadValue(SecurityError):  # noqa: N818 - the name says what it is
    """`field` cannot be used as it is."""

    def __init__(self, field: str, reason: str) -> None:
        self.field: Final = field
        super().__init__(f"{field}: {reason}")


class Taken(SecurityError):  # noqa: N818 - the name says what it is
    """The login belongs to somebody."""

    def __init__(self) -> None:
        super().__init__("login: choose another one")


class NotFound(SecurityError):  # noqa: N818 - the name says what it is
    """No such `thing`, or not yours."""

    def __init__(self, thing: str) -> None:
        super().__init__(f"no such {thing}")


class InsecureSecrets(SecurityError):  # noqa: N818 - the name says what it is
    """The file of secrets cannot be trusted; the text says what to do."""
