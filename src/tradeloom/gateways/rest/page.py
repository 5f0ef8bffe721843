"""The API reference at `/docs`: Swagger UI from an installed package, so no internet is needed.

Without a built web app it is at `/` too, with a hint how to get one.
"""

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
{hint}
<main id="reference"><noscript>The description of the API is at <a href="/api/v1/openapi.json">
/api/v1/openapi.json</a>.</noscript></main>
<script src="/reference/swagger-ui-bundle.js"></script>
<script src="/reference/start.js"></script>
</body>
</html>
"""
_HINT: Final = """<p style="font-family: sans-serif; margin: 12px 24px">
The web app is not built here: run <code>make run</code> in a checkout,
or install a released package.</p>
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


def install(app: Starlette, *, at_root: bool) -> None:
    """Serve the page and its files; `at_root`: at `/` too, as there is no web app."""
    static = files("fastapi_offline").joinpath("static")

    async def page(request: Request) -> Response:
        hint = _HINT if request.url.path == "/" else ""
        return Response(_PAGE.replace("{hint}", hint), media_type="text/html")

    async def asset(request: Request) -> Response:
        name = request.path_params["name"]
        if name == "start.js":
            return Response(_START, media_type="text/javascript")
        kind = _ASSETS.get(name)
        if kind is None:
            return Response(status_code=404)
        return Response(static.joinpath(name).read_bytes(), media_type=kind, headers=_DAY)

    for path in ("/", "/docs") if at_root else ("/docs",):
        app.add_route(path, page, methods=["GET"], include_in_schema=False)
    app.add_route("/reference/{name}", asset, methods=["GET"], include_in_schema=False)
