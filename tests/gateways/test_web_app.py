"""The web app as the service hands it out: pages, files, encodings, caching, nothing else."""

from __future__ import annotations

import gzip
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse

from tradeloom.gateways.rest import page, web

PAGE = "<!doctype html><title>Tradeloom</title>" + " " * 2000
SCRIPT = "console.log(1);" * 200


@pytest.fixture
def build(tmp_path: Path) -> Path:
    root = tmp_path / "web"
    (root / "assets").mkdir(parents=True)
    (root / "index.html").write_text(PAGE)
    script = root / "assets" / "index-1a2b.js"
    script.write_text(SCRIPT)
    script.with_name("index-1a2b.js.gz").write_bytes(gzip.compress(SCRIPT.encode()))
    (root / "assets" / "inter.woff2").write_bytes(b"wOF2")
    (root / "manifest.json").write_text("{}")
    (tmp_path / "secret.js").write_text("secret")
    (root / "assets" / "link.js").symlink_to(tmp_path / "secret.js")
    return root


def browser(app: Starlette) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://tradeloom")


@pytest.fixture
def client(build: Path) -> httpx.AsyncClient:
    app = Starlette()
    app.add_route("/api/v1/thing", lambda request: JSONResponse({"a": 1}))
    page.install(app, at_root=not web.is_built(build))
    web.install(app, build)
    return browser(app)


@pytest.mark.parametrize("path", ["/", "/terminal", "/terminal/Trade?symbol=EURUSD", "/admin/a.b"])
async def test_every_view_gets_the_page(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert answer.status_code == 200
    assert answer.text == PAGE
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["cache-control"] == "no-cache"
    policy = answer.headers["content-security-policy"]
    assert "script-src 'self'" in policy
    assert "unsafe-inline" not in policy.split("script-src")[1].split(";")[0]
    assert "frame-ancestors 'none'" in policy


async def test_files_are_compressed_and_kept_for_ever(client: httpx.AsyncClient) -> None:
    packed = await client.get("/assets/index-1a2b.js", headers={"accept-encoding": "gzip, br"})
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.text == SCRIPT
    assert "immutable" in packed.headers["cache-control"]
    assert packed.headers["vary"] == "accept-encoding"
    plain = await client.get("/assets/index-1a2b.js", headers={"accept-encoding": "gzip;q=0"})
    assert "content-encoding" not in plain.headers
    assert plain.text == SCRIPT
    assert (await client.get("/assets/inter.woff2")).headers["content-type"] == "font/woff2"


async def test_the_page_is_asked_for_again_but_not_sent_again(client: httpx.AsyncClient) -> None:
    tag = (await client.get("/")).headers["etag"]
    again = await client.get("/", headers={"if-none-match": tag})
    assert again.status_code == 304
    assert not again.content


@pytest.mark.parametrize(
    "path",
    [
        "/assets/gone.js",
        "/assets/",
        "/missing.png",
        "/assets/link.js",
        "/assets/%2e%2e/%2e%2e/secret.js",
        "/..%2fsecret.js",
        "/assets/a%00.js",
        "/api/v1/nothing",
        "/ws",
        "/reference/nothing",
    ],
)
async def test_what_is_not_there_is_404(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert answer.status_code == 404
    assert "secret" not in answer.text


async def test_the_api_and_its_reference_stay_where_they_are(client: httpx.AsyncClient) -> None:
    assert (await client.get("/api/v1/thing")).json() == {"a": 1}
    assert "swagger" in (await client.get("/docs")).text


async def test_without_a_build_the_reference_is_the_first_page(tmp_path: Path) -> None:
    app = Starlette()
    assert not web.is_built(tmp_path)
    page.install(app, at_root=True)
    made = browser(app)
    first = await made.get("/")
    assert "swagger" in first.text
    assert "make run" in first.text
    assert "make run" not in (await made.get("/docs")).text
