"""The API reference at `/`: Swagger UI from an installed package, so no internet is needed."""

from __future__ import annotations

from importlib.resources import files
from typing import Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response

_ASSETS: Final = {
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
}
_PAGE: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Tradeloom API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/reference/swagger-ui.css">
</head>
<body>
<main id="reference"><noscript>The description of the API is at <a href="/api/v1/openapi.json">
/api/v1/openapi.json</a>.</noscript></main>
<script src="/reference/swagger-ui-bundle.js"></script>
<script src="/reference/start.js"></script>
</body>
</html>
"""
_START: Final = """window.ui = SwaggerUIBundle({
  url: "/api/v1/openapi.json",
  dom_id: "#reference",
  deepLinking: true,
  docExpansion: "none",
  persistAuthorization: false,
  tryItOutEnabled: true,
  validatorUrl: null,
});
"""
_DAY: Final = {"cache-control": "public, max-age=86400"}


def install(app: Starlette) -> None:
    """Serve the page and its files."""
    static = files("fastapi_offline").joinpath("static")

    async def page(request: Request) -> Response:
        return Response(_PAGE, media_type="text/html")

    async def asset(request: Request) -> Response:
        name = request.path_params["name"]
        if name == "start.js":
            return Response(_START, media_type="text/javascript")
        kind = _ASSETS.get(name)
        if kind is None:
            return Response(status_code=404)
        return Response(static.joinpath(name).read_bytes(), media_type=kind, headers=_DAY)

    app.add_route("/", page, methods=["GET"], include_in_schema=False)
    app.add_route("/reference/{name}", asset, methods=["GET"], include_in_schema=False)
