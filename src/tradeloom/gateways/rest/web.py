"""The web app at `/`: the files of the Vite build, compressed beforehand, one page for all views.

The build lies inside the package (`tradeloom/web`, written by `make run`, shipped in the wheel). An
address that is no file is a view of the app and gets its page, so that links and reloads work.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response

PACKAGED: Final = Path(str(files("tradeloom"))) / "web"
PAGE: Final = "index.html"
_KINDS: Final = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".webmanifest": "application/manifest+json",
}
# Encodings we have files for, best first.
_ENCODINGS: Final = (("br", ".br"), ("gzip", ".gz"))
# Files under assets/ carry a hash of their content in their name.
_FOR_EVER: Final = "public, max-age=31536000, immutable"
_ASK_AGAIN: Final = "no-cache"
# First path segments that are never a view of the app.
_NOT_OURS: Final = ("api", "ws", "reference", "docs")
# Scripts come from us only, none stand in the page. Styles may stand at elements, because panels
# and charts place themselves; a style cannot run anything.
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: "
    "blob:; font-src 'self'; connect-src 'self'; manifest-src 'self'; frame-src 'self'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)


def is_built(root: Path = PACKAGED) -> bool:
    """Whether there is a web app to serve."""
    return (root / PAGE).is_file()


def install(app: Starlette, root: Path = PACKAGED) -> None:
    """Serve the build in `root`. Install it last: it answers every address nobody else did."""
    root = root.resolve()

    async def answer(request: Request) -> Response:
        path = request.path_params["path"]
        if path.partition("/")[0] in _NOT_OURS:
            return Response(status_code=404)
        found = _file(root, path)
        if found is None and (Path(path).suffix in _KINDS or path.startswith("assets/")):
            return Response(status_code=404)  # a file that is not there is no view
        return _send(found or root / PAGE, request, path if found else PAGE)

    app.add_route("/{path:path}", answer, methods=["GET"], include_in_schema=False)


def _file(root: Path, path: str) -> Path | None:
    """The file of an address, if it is one we serve and lies inside the build."""
    if not path or Path(path).suffix not in _KINDS or "\0" in path:
        return None
    found = (root / path).resolve()
    return found if found.is_relative_to(root) and found.is_file() else None


def _send(path: Path, request: Request, name: str) -> Response:
    hashed = name.startswith("assets/")
    headers = {
        "cache-control": _FOR_EVER if hashed else _ASK_AGAIN,
        "vary": "accept-encoding",
        "content-security-policy": _POLICY,
    }
    state = path.stat()
    tag = f'"{state.st_mtime_ns:x}-{state.st_size:x}"'
    headers["etag"] = tag
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    body = path
    for encoding, suffix in _accepted(request.headers.get("accept-encoding", "")):
        packed = path.with_name(path.name + suffix)
        if packed.is_file():
            body, headers["content-encoding"] = packed, encoding
            break
    return Response(body.read_bytes(), headers=headers, media_type=_KINDS[path.suffix])


def _accepted(header: str) -> Iterator[tuple[str, str]]:
    """The encodings a client takes, of those we have."""
    named = {}
    for part in header.lower().split(","):
        name, _, quality = part.partition(";")
        named[name.strip()] = quality.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    for encoding, suffix in _ENCODINGS:
        if named.get(encoding, False):
            yield encoding, suffix
