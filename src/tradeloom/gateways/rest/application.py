"""Puts the routes together: `/api/v1`, `/ws`, the web app, the reference, one description."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.middleware.cors import CORSMiddleware

from tradeloom.gateways.rates import Rates
from tradeloom.gateways.rest import (
    accounts,
    approvals,
    definitions,
    errors,
    history,
    market,
    orders,
    page,
    people,
    preferences,
    previews,
    staff,
    system,
    trading,
    venues,
    web,
)
from tradeloom.gateways.rest.answers import ProblemOut, problems
from tradeloom.gateways.rest.edge import App, Edge
from tradeloom.gateways.rest.gate import Gate
from tradeloom.gateways.ws.endpoint import Sockets

_ABOUT = """Trade, and run the platform. Every number that must be exact is decimal text; every
time is RFC 3339 UTC. A refusal is an RFC 9457 problem with a stable `code` and `name`, the `field`
it is about, and what to do. Send `Idempotency-Key` with a command to make repeating it safe.
Events come over the WebSocket at `/ws`; see the API guide."""


def build(
    gate: Gate,
    sockets: Sockets,
    *,
    version: str,
    rates: Rates | None,
    cors_origins: Sequence[str] = (),
    tracer: Any = None,
    web_dir: Path = web.PACKAGED,
) -> App:
    """The ASGI application."""
    api = FastAPI(
        title="Tradeloom",
        version=version,
        description=_ABOUT,
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        separate_input_output_schemas=False,
    )
    errors.install(api)
    api.add_route(orders.PATH, orders.handler(gate), methods=["POST"], include_in_schema=False)
    rooms = (
        people,
        preferences,
        accounts,
        previews,
        trading,
        market,
        definitions,
        approvals,
        history,
        staff,
        venues,
        system,
    )
    for room in rooms:
        api.include_router(room.router(gate))
    page.install(api, at_root=not web.is_built(web_dir))
    made: dict[str, Any] = {}

    def openapi() -> dict[str, Any]:
        if not made:
            made.update(_describe(api))
        return made

    api.openapi = openapi  # type: ignore[method-assign]
    if web.is_built(web_dir):
        web.install(api, web_dir)
    app: App = api
    if cors_origins:
        app = CORSMiddleware(
            api,
            allow_origins=list(cors_origins),
            allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
            allow_headers=["Authorization", "Content-Type", "Idempotency-Key", "X-API-Key"],
            expose_headers=["X-Request-Id", "Retry-After"],
        )
    return Edge(app, sockets.serve, rates, gate.meters, tracer)


def _describe(api: FastAPI) -> dict[str, Any]:
    text = get_openapi(
        title=api.title,
        version=api.version,
        description=api.description,
        routes=api.routes,
        separate_input_output_schemas=False,
    )
    operation, schemas = orders.openapi()
    operation["responses"] |= {str(status): said for status, said in problems(504).items()}
    operation["security"] = [{"bearer": []}, {"apiKey": []}]
    text["paths"].setdefault(orders.PATH, {})["post"] = operation
    parts = text.setdefault("components", {})
    known = parts.setdefault("schemas", {})
    known |= schemas
    known["ProblemOut"] = ProblemOut.model_json_schema(ref_template="#/components/schemas/{model}")
    for name in ("HTTPValidationError", "ValidationError"):
        known.pop(name, None)
    parts["securitySchemes"] = {
        "bearer": {"type": "http", "scheme": "bearer", "description": "An access token."},
        "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    }
    for path, methods in text["paths"].items():
        for each in methods.values():
            if "security" not in each and not _open(path):
                each["security"] = operation["security"]
    return text


def _open(path: str) -> bool:
    """True for what everybody may ask."""
    return path.startswith("/api/v1/auth/") or path in (
        "/api/v1/system/live",
        "/api/v1/system/ready",
        "/api/v1/system/time",
        "/api/v1/system/version",
        "/api/v1/problems",
    )
