"""What went wrong, as RFC 9457 problem documents: number, name, field, and what to do about it."""

from __future__ import annotations

import math
from enum import IntEnum
from typing import Any, Final

import msgspec

from tradeloom.domain.enums import ReturnCode
from tradeloom.domain.errors import Refused, Rejected, explain
from tradeloom.security.errors import (
    BadCode,
    BadCredentials,
    BadToken,
    BadValue,
    NotAllowed,
    NotFound,
    NotSignedIn,
    SecondFactorNeeded,
    SecurityError,
    Taken,
    TokenReused,
    TooMany,
)

CONTENT_TYPE: Final = "application/problem+json"
_Code = ReturnCode


class ApiCode(IntEnum):
    """Refusals of a gateway itself, beside the engine's `ReturnCode`. Stable numbers."""

    UNAUTHENTICATED = 2001
    TOKEN_EXPIRED = 2002
    FORBIDDEN = 2003
    BAD_CREDENTIALS = 2004
    LOCKED_OUT = 2005
    SECOND_FACTOR = 2006
    CONFLICT = 2007
    BODY_TOO_LARGE = 2008
    UNSUPPORTED_MEDIA = 2009
    METHOD_NOT_ALLOWED = 2010
    RATE_LIMITED = 2011
    UNANSWERED = 2012
    STORE_UNAVAILABLE = 2013
    INTERNAL = 2014
    BAD_CURSOR = 2015
    TOO_OLD = 2016
    UNKNOWN_CHANNEL = 2017
    BAD_MESSAGE = 2018
    SIGN_UP_CLOSED = 2019
    PASSWORD_CHANGE = 2020
    TOKEN_REUSED = 2021
    SECOND_PERSON = 2022


_MISSING: Final = {
    _Code.ERR_NOTFOUND,
    _Code.GROUP_NOT_FOUND,
    _Code.SYMBOL_NOT_FOUND,
    _Code.USER_NOT_FOUND,
    _Code.CURRENCY_NOT_FOUND,
    _Code.TRADE_INCORRECT_ORDER,
}
_INVALID: Final = {
    _Code.ERR_PARAMS,
    _Code.OVERFLOW,
    _Code.BAD_RECORD,
    _Code.TRADE_BAD_VOLUME,
    _Code.TRADE_BAD_PRICES,
    _Code.TRADE_INVALID_SL_TP,
    _Code.TRADE_EXPIRATION_DENIED,
    _Code.TRADE_BAD_STOPS,
}
_OTHERS: Final = {
    _Code.TOO_FREQUENT: 429,
    _Code.BUSY: 503,
    _Code.JOURNAL_UNAVAILABLE: 503,
}


class Problem(Exception):  # noqa: N818
    """An answer that is not what was asked for. `extra`: more members of the document."""

    def __init__(
        self,
        status: int,
        code: ReturnCode | ApiCode,
        detail: str,
        *,
        field: str = "",
        headers: dict[str, str] | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status: Final = status
        self.code: Final = code
        self.detail: Final = detail
        self.field: Final = field
        self.headers: Final = headers or {}
        self.extra: Final = extra or {}

    def document(self, instance: str = "", request_id: str = "") -> dict[str, Any]:
        """The members of the problem document."""
        made: dict[str, Any] = {
            "type": f"/api/v1/problems/{self.code.name}",
            "title": self.code.name.replace("_", " ").capitalize(),
            "status": self.status,
            "detail": self.detail,
            "code": int(self.code),
            "name": self.code.name,
            "field": self.field,
        }
        if instance:
            made["instance"] = instance
        if request_id:
            made["request_id"] = request_id
        return made | self.extra

    def body(self, instance: str = "", request_id: str = "") -> bytes:
        """The document as JSON."""
        return msgspec.json.encode(self.document(instance, request_id))


def status_of(code: ReturnCode, refused: bool) -> int:
    """HTTP status of an engine's answer: unknown 404, invalid 422, against the rules 409."""
    if code in _OTHERS:
        return _OTHERS[code]
    if code in _MISSING:
        return 404
    if refused and code in _INVALID:
        return 422
    return 409


def from_engine(error: Refused | Rejected) -> Problem:
    """The problem behind an engine's refusal or rejection."""
    status = status_of(error.code, isinstance(error, Refused))
    headers = {"Retry-After": "1"} if status in (429, 503) else None
    return Problem(status, error.code, str(error), field=error.field, headers=headers)


def from_security(error: SecurityError) -> Problem:
    """The problem behind a refusal at the front door."""
    match error:
        case TooMany():
            headers = {"Retry-After": str(max(1, math.ceil(error.retry_after_s)))}
            return Problem(429, ApiCode.LOCKED_OUT, str(error), headers=headers)
        case NotAllowed():
            detail = f"{MEANINGS[ApiCode.FORBIDDEN]} (needs {error.scope})"
            return Problem(403, ApiCode.FORBIDDEN, detail)
        case BadValue():
            detail = f"ERR_PARAMS (13) in {error}; correct it and send the request again"
            return Problem(422, ReturnCode.ERR_PARAMS, detail, field=error.field)
        case Taken():
            return Problem(409, ApiCode.CONFLICT, str(error), field="login")
        case NotFound():
            return Problem(404, ReturnCode.ERR_NOTFOUND, str(error))
        case NotSignedIn():
            code = _SIGNED_OUT.get(type(error), ApiCode.UNAUTHENTICATED)
            if isinstance(error, BadToken) and error.expired:
                code = ApiCode.TOKEN_EXPIRED
            headers = {"WWW-Authenticate": 'Bearer realm="tradeloom"'}
            return Problem(401, code, MEANINGS[code], headers=headers)
    return Problem(500, ApiCode.INTERNAL, MEANINGS[ApiCode.INTERNAL])


_SIGNED_OUT: Final = {
    BadCredentials: ApiCode.BAD_CREDENTIALS,
    BadCode: ApiCode.BAD_CREDENTIALS,
    SecondFactorNeeded: ApiCode.SECOND_FACTOR,
    TokenReused: ApiCode.TOKEN_REUSED,
}


def every() -> list[dict[str, Any]]:
    """Number, name and meaning of every problem there is."""
    engine = [
        {"code": code.number, "name": code.name, "detail": explain(code)} for code in ReturnCode
    ]
    own = [{"code": int(code), "name": code.name, "detail": MEANINGS[code]} for code in ApiCode]
    return engine + own


MEANINGS: Final[dict[ApiCode, str]] = {
    ApiCode.UNAUTHENTICATED: "no valid token or API key came with the request; sign in and send "
    "'Authorization: Bearer <token>'",
    ApiCode.TOKEN_EXPIRED: "the token is expired or was ended; refresh it or sign in again",
    ApiCode.FORBIDDEN: "your role or the scopes of your key do not allow this",
    ApiCode.BAD_CREDENTIALS: "login, password or code is wrong; check them and try again",
    ApiCode.LOCKED_OUT: "too many failed attempts; wait as long as Retry-After says",
    ApiCode.SECOND_FACTOR: "a second factor is on; send the code of your authenticator as 'code'",
    ApiCode.CONFLICT: "it is taken or in another state; look at it first",
    ApiCode.BODY_TOO_LARGE: "the body is larger than this service takes; send less",
    ApiCode.UNSUPPORTED_MEDIA: "the body is not JSON; send 'Content-Type: application/json'",
    ApiCode.METHOD_NOT_ALLOWED: "this path has no such method; see the Allow header",
    ApiCode.RATE_LIMITED: "too many requests; wait as long as Retry-After says",
    ApiCode.UNANSWERED: "the answer did not come in time; send the same Idempotency-Key again",
    ApiCode.STORE_UNAVAILABLE: "the database does not answer; trading goes on, try this later",
    ApiCode.INTERNAL: "something is broken on our side; report the request_id",
    ApiCode.BAD_CURSOR: "the cursor is not one of this listing; start again without it",
    ApiCode.TOO_OLD: "these events are too far back; read the present state and subscribe anew",
    ApiCode.UNKNOWN_CHANNEL: "there is no such channel, or it is not for you",
    ApiCode.BAD_MESSAGE: "the message is not one of this protocol; see the API guide",
    ApiCode.SIGN_UP_CLOSED: "this service does not take sign-ups; ask its administrator",
    ApiCode.TOKEN_REUSED: "the refresh token was used before; the session is ended, sign in again",
    ApiCode.SECOND_PERSON: "you asked for it yourself; somebody else has to agree",
    ApiCode.PASSWORD_CHANGE: "the password must be changed first; use /api/v1/me/password",
}
