"""Every exception a route can raise, turned into its problem document."""

from __future__ import annotations

import re
from typing import Any, Final

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from tradeloom.domain.enums import ReturnCode
from tradeloom.domain.errors import Refused, Rejected
from tradeloom.gateways.desk import Unanswered
from tradeloom.gateways.problems import (
    CONTENT_TYPE,
    MEANINGS,
    ApiCode,
    Problem,
    from_engine,
    from_security,
)
from tradeloom.gateways.rest.edge import BodyTooLarge
from tradeloom.security.errors import SecurityError
from tradeloom.store.errors import BadCursor, StoreError

log = structlog.stdlib.get_logger("tradeloom.rest")

_JSON_ERROR: Final = re.compile(r"json_invalid|JSON", re.IGNORECASE)
_STATUS: Final[dict[int, tuple[ReturnCode | ApiCode, str]]] = {
    404: (ReturnCode.ERR_NOTFOUND, "there is no such path; the API reference is at /"),
    405: (ApiCode.METHOD_NOT_ALLOWED, MEANINGS[ApiCode.METHOD_NOT_ALLOWED]),
    415: (ApiCode.UNSUPPORTED_MEDIA, MEANINGS[ApiCode.UNSUPPORTED_MEDIA]),
}


def problem_response(problem: Problem, request: Request) -> Response:
    """The answer that carries a problem."""
    body = problem.body(request.url.path, request.scope.get("request_id", ""))
    return Response(body, problem.status, problem.headers, media_type=CONTENT_TYPE)


def invalid(field: str, why: str, status: int = 422) -> Problem:
    """A value that is not allowed."""
    where = f" in {field}" if field else ""
    detail = f"ERR_PARAMS (13){where}: {why}; correct it and send the request again"
    return Problem(status, ReturnCode.ERR_PARAMS, detail, field=field)


def plain(message: str) -> str:
    """A validator's message for people: no regular expressions."""
    if "pattern" in message or "regex" in message:
        return "it is not written as it must be (numbers are plain decimal text such as '0.10')"
    return message[:1].lower() + message[1:]


def missing(what: str, field: str = "") -> Problem:
    """Something that is not there, or not the caller's to see."""
    return Problem(
        404, ReturnCode.ERR_NOTFOUND, f"there is no such {what}, or it is not yours", field=field
    )


def internal(request: Request, error: Exception) -> Problem:
    """Our own bug: logged with the request id, told without details."""
    log.error("bug", request_id=request.scope.get("request_id", ""), exc_info=error)
    return Problem(500, ApiCode.INTERNAL, MEANINGS[ApiCode.INTERNAL])


def problem_of(error: Exception, request: Request) -> Problem:
    """The problem behind any exception a route raised."""
    match error:
        case Problem():
            return error
        case Refused() | Rejected():
            return from_engine(error)
        case RequestValidationError():
            return _validation(error)
        case Unanswered():
            detail = MEANINGS[ApiCode.UNANSWERED]
            return Problem(504, ApiCode.UNANSWERED, detail, headers={"Retry-After": "1"})
        case BadCursor():
            return Problem(422, ApiCode.BAD_CURSOR, MEANINGS[ApiCode.BAD_CURSOR], field="cursor")
        case SecurityError():
            return from_security(error)
        case StoreError():
            log.error("store", error=str(error))
            detail = MEANINGS[ApiCode.STORE_UNAVAILABLE]
            return Problem(503, ApiCode.STORE_UNAVAILABLE, detail, headers={"Retry-After": "2"})
        case HTTPException() if error.status_code == 400:
            return invalid("", "the body is not valid JSON")
        case HTTPException():
            code, detail = _STATUS.get(error.status_code, (ReturnCode.ERR_PARAMS, error.detail))
            return Problem(error.status_code, code, detail, headers=dict(error.headers or {}))
    return internal(request, error)


def install(app: FastAPI, *more: type[Exception]) -> None:
    """Answer every exception with a problem; `more`: types this room does not know by itself."""

    async def handle(request: Request, error: Exception) -> Response:
        if isinstance(error, BodyTooLarge):
            raise error
        return problem_response(problem_of(error, request), request)

    kinds: tuple[Any, ...] = (
        Problem,
        Refused,
        Rejected,
        RequestValidationError,
        Unanswered,
        SecurityError,
        StoreError,
        HTTPException,
        Exception,
    )
    for kind in (*kinds, *more):
        app.add_exception_handler(kind, handle)


def _validation(error: RequestValidationError) -> Problem:
    first = error.errors()[0]
    place = [str(part) for part in first.get("loc", ())]
    field = ".".join(place[1:]) if len(place) > 1 else ""
    kind = str(first.get("type", ""))
    if kind == "json_invalid":
        return invalid("", "the body is not valid JSON", 422)
    if kind == "model_attributes_type":
        return invalid(field, "the body is not a JSON object")
    # The message names limits and types; the value itself is never echoed.
    message = str(first.get("msg", "is not allowed"))
    return invalid(field, plain(message))
