"""Bad input, wrong people, broken tokens: the right status, a problem body, and nothing changed."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.app.process import Service
from tradeloom.security import Scope

ORDER = {"account": 1, "instrument": "EURUSD", "side": "buy", "volume": "0.10"}


def problem(answer: httpx.Response, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    found: dict[str, Any] = answer.json()
    assert found["status"] == status
    assert isinstance(found["code"], int)
    assert all(found[member] for member in ("name", "detail", "request_id"))
    return found


def _state(live: Service, token: str, account: int) -> Any:
    with live.client(token) as api:
        positions = [
            each["id"] for each in api.get("/positions", params={"account": account}).json()
        ]
        orders = api.get("/orders", params={"account": account}).json()
        return positions, orders, api.get(f"/accounts/{account}").json()["balance"]


@pytest.mark.parametrize(
    ("change", "status", "field"),
    [
        ({"volume": 0.1}, 422, "volume"),
        ({"volume": "NaN"}, 422, "volume"),
        ({"volume": "-1"}, 422, "volume"),
        ({"volume": "0"}, 422, "volume"),
        ({"volume": "1e3"}, 422, "volume"),
        ({"volume": "0.001"}, 422, "volume"),
        ({"volume": "9" * 30}, 422, "volume"),
        ({"side": "up"}, 422, "side"),
        ({"side": None}, 422, "side"),
        ({"surprise": 1}, 422, "surprise"),
        ({"account": "1"}, 422, "account"),
        ({"account": 2**70}, 422, "account"),
        ({"account": 999_999}, 404, "account"),
        ({"instrument": "NOPE"}, 404, "instrument"),
        ({"instrument": ""}, 422, "instrument"),
        ({"type": "limit"}, 422, "price"),
        ({"type": "limit", "price": "1.123456789"}, 422, "price"),
        ({"sl": "99"}, 409, "sl"),
        ({"expire": "tomorrow"}, 422, "expire"),
        ({"tif": "gtd", "expire": "1999-01-01T00:00:00Z"}, 422, None),
        ({"position": 12345678}, 404, "position"),
        ({"volume": "400"}, 409, "volume"),
    ],
)
def test_order_table(
    live: Service,
    anna: str,
    annas: int,
    change: dict[str, Any],
    status: int,
    field: str | None,
) -> None:
    before = _state(live, anna, annas)
    with live.client(anna) as api:
        found = problem(api.post("/orders", json=ORDER | {"account": annas} | change), status)
    assert field is None or found["field"] == field
    assert _state(live, anna, annas) == before


@pytest.mark.parametrize("missing", ["account", "instrument", "side", "volume"])
def test_missing_field(live: Service, anna: str, annas: int, missing: str) -> None:
    body = {k: v for k, v in (ORDER | {"account": annas}).items() if k != missing}
    with live.client(anna) as api:
        assert problem(api.post("/orders", json=body), 422)["field"] == missing


@pytest.mark.parametrize("body", [b"", b"{", b"null", b"[]", b'"x"', b"\xff", b"{}" * 2])
@pytest.mark.parametrize("path", ["/orders", "/accounts", "/auth/sign-in", "/kill-switch"])
def test_body_that_is_no_object(live: Service, path: str, body: bytes) -> None:
    with live.client(live.admin()) as api:
        answer = api.post(path, content=body, headers={"content-type": "application/json"})
        problem(answer, 422)


def test_body_too_large(live: Service, anna: str) -> None:
    with live.client(anna) as api:
        assert problem(api.post("/orders", content=b" " * 200_000), 413)["name"] == "BODY_TOO_LARGE"

        def chunks() -> Any:
            for _ in range(100):
                yield b" " * 4096

        answer = api.post("/accounts", content=chunks())
        assert problem(answer, 413)["name"] == "BODY_TOO_LARGE"


@pytest.mark.parametrize(
    "header",
    [
        {},
        {"Authorization": "Bearer"},
        {"Authorization": "Basic YTpi"},
        {"Authorization": "Bearer not.a.token"},
        {"Authorization": "Bearer eyJhbGciOiJub25lIiwia2lkIjoiYSJ9.eyJzdWIiOiIxIn0."},
        {"Authorization": "Bearer " + "x" * 4000},
        {"X-API-Key": "tlk_00000000_nope"},
    ],
)
def test_no_valid_token(live: Service, header: dict[str, str]) -> None:
    with live.client() as api:
        for method, path in (("GET", "/me"), ("POST", "/orders"), ("GET", "/quotes")):
            answer = api.request(method, path, headers=header)
            found = problem(answer, 401)
            assert answer.headers["www-authenticate"].startswith("Bearer")
            for secret in header.values():
                assert secret.split()[-1][:40] not in answer.text or len(secret) < 12
            assert found["code"] in (2001, 2002)


def test_other_peoples_accounts_are_not_there(
    live: Service, anna: str, bobs: int, annas: int
) -> None:
    with live.client(anna) as api:
        for path in (
            f"/accounts/{bobs}",
            f"/accounts/{bobs}/ledger",
            f"/accounts/{bobs}/statement.csv",
            f"/accounts/{bobs}/margin-events",
            f"/orders?account={bobs}",
            f"/positions?account={bobs}",
            f"/fills?account={bobs}",
            f"/history/orders?account={bobs}",
            f"/history/positions?account={bobs}",
            f"/history/balance?account={bobs}",
        ):
            problem(api.get(path), 404)
        problem(api.post("/orders", json=ORDER | {"account": bobs}), 404)
        problem(api.post("/orders/cancel-all", json={"account": bobs}), 404)
        problem(api.post("/positions/close-all", json={"account": bobs}), 404)
        assert [each["id"] for each in api.get("/accounts").json()] == [annas]


# Method, path, body, the roles that may.
ROUTES: list[tuple[str, str, dict[str, Any] | None, set[str]]] = [
    ("POST", "/accounts/{a}/deposits", {"amount": "5"}, {"manager", "admin"}),
    ("PATCH", "/accounts/{a}", {"read_only": False}, {"manager", "admin"}),
    ("GET", "/ledger/trial-balance", None, {"manager", "dealer", "admin"}),
    ("PUT", "/trading-states", {"scope": "shard", "state": "active"}, {"dealer", "admin"}),
    ("GET", "/users", None, {"manager", "admin"}),
    ("GET", "/audit", None, {"manager", "admin"}),
    ("GET", "/system/metrics", None, {"dealer", "admin"}),
    ("GET", "/accounts/{a}", None, {"trader", "manager", "dealer", "admin"}),
    ("GET", "/accounts/{a}/margin-events", None, {"trader", "manager", "dealer", "admin"}),
    ("GET", "/me/preferences", None, {"trader", "manager", "dealer", "admin"}),
    ("GET", "/staff/accounts", None, {"manager", "dealer", "admin"}),
    ("GET", "/staff/exposure", None, {"manager", "dealer", "admin"}),
    ("GET", "/staff/margin", None, {"manager", "dealer", "admin"}),
    ("GET", "/margin-events", None, {"manager", "dealer", "admin"}),
    ("GET", "/approvals", None, {"manager", "dealer", "admin"}),
    ("GET", "/changes", None, {"dealer", "admin"}),
    ("POST", "/groups/preview", {"name": "x", "currency": "USD"}, {"dealer", "admin"}),
    ("GET", "/system/journal", None, {"dealer", "admin"}),
]
# Exactly this, no scope more: what a new installation lets each role do.
ROLE_SCOPES = {
    "trader": {"profile", "market:read", "accounts:read", "trade"},
    "manager": {
        *("profile", "market:read", "accounts:read", "accounts:read_all", "accounts:manage"),
        *("money", "users:read", "users:manage", "ledger:read", "audit:read"),
    },
    "dealer": {
        *("profile", "market:read", "accounts:read", "accounts:read_all", "trade", "trade_all"),
        *("state:manage", "instruments:manage", "ledger:read", "system:read"),
    },
    "admin": set(Scope),
}


@pytest.mark.parametrize("role", ROLE_SCOPES)
def test_roles(live: Service, role: str, anna: str, annas: int) -> None:
    tokens = {"trader": lambda: anna, "admin": live.admin}
    token = tokens.get(role, lambda: live.staff(f"the-{role}", role))()
    with live.client(token) as api:
        assert set(api.get("/me").json()["scopes"]) == ROLE_SCOPES[role]
        for method, path, body, roles in ROUTES:
            answer = api.request(method, path.format(a=annas), json=body)
            if role in roles:
                assert answer.is_success, (method, path, answer.text)
            else:
                assert problem(answer, 403)["name"] == "FORBIDDEN", (method, path)


def test_a_key_does_what_its_scopes_say(live: Service, anna: str, annas: int) -> None:
    with live.client(anna) as api:
        body = {"name": "reader", "scopes": ["market:read", "accounts:read"]}
        made = api.post("/me/keys", json=body)
        assert made.status_code == 201, made.text
        key = made.json()["key"]
        over = api.post("/me/keys", json={"name": "x", "scopes": ["money"]})
        problem(over, 403)
    with live.client() as api:
        api.headers["X-API-Key"] = key
        assert api.get("/quotes").is_success
        assert api.get("/positions", params={"account": annas}).is_success
        problem(api.post("/orders", json=ORDER | {"account": annas}), 403)
        problem(api.get("/me"), 403)
    with live.client(anna) as api:
        assert api.delete(f"/me/keys/{made.json()['prefix']}").status_code == 204
    with live.client() as api:
        problem(api.get("/quotes", headers={"X-API-Key": key}), 401)


def test_a_refresh_token_works_once_and_its_reuse_ends_the_session(live: Service) -> None:
    live.sign_up("carol")
    with live.client() as api:
        body = {"login": "carol", "password": "a-long-enough-phrase-1"}
        first = api.post("/auth/sign-in", json=body).json()
        second = api.post("/auth/refresh", json={"refresh_token": first["refresh_token"]})
        assert second.is_success
        again = api.post("/auth/refresh", json={"refresh_token": first["refresh_token"]})
        assert problem(again, 401)["name"] == "TOKEN_REUSED"
        last = api.post("/auth/refresh", json={"refresh_token": second.json()["refresh_token"]})
        problem(last, 401)


def test_guessing_is_slowed_down(live: Service) -> None:
    with live.client() as api:
        answers = [
            api.post("/auth/sign-in", json={"login": "nobody-here", "password": "wrong-guess"})
            for _ in range(8)
        ]
    assert problem(answers[0], 401)["name"] == "BAD_CREDENTIALS"
    locked = problem(answers[-1], 429)
    assert locked["name"] == "LOCKED_OUT"
    assert int(answers[-1].headers["retry-after"]) >= 1
    assert "wrong-guess" not in "".join(answer.text for answer in answers)


def test_every_answer_carries_the_security_headers(live: Service) -> None:
    with httpx.Client(base_url=live.url, trust_env=False) as client:
        for path in ("/", "/api/v1/system/time", "/nothing", "/api/v1/me"):
            headers = client.get(path).headers
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["x-frame-options"] == "DENY"
            assert "default-src" in headers["content-security-policy"]
            assert headers["x-request-id"]
            assert "access-control-allow-origin" not in headers
            assert "server" not in headers
        page = client.get("/")
        assert "://" not in page.text
        for asset in ("swagger-ui.css", "swagger-ui-bundle.js", "start.js"):
            assert client.get(f"/reference/{asset}").is_success


def test_the_kill_switch_stops_everybody(live: Service, anna: str, annas: int) -> None:
    with live.client(live.admin()) as staff, live.client(anna) as api:
        assert not staff.post("/kill-switch", json={"reason": "a drill"}).is_success
        body = {"reason": "a drill", "confirm": "halt"}
        problem(staff.post("/kill-switch", json=body), 422)
        assert staff.post("/kill-switch", json=body | {"confirm": "HALT"}).is_success
        try:
            halted = problem(api.post("/orders", json=ORDER | {"account": annas}), 409)
            assert halted["name"] == "HALTED"
        finally:
            body = {"scope": "shard", "state": "active"}
            assert staff.put("/trading-states", json=body).is_success
        assert api.post("/orders", json=ORDER | {"account": annas}).status_code == 201
        rows = staff.get("/audit", params={"action": "kill_switch"}).json()["items"]
        assert rows[0]["detail"] == {"reason": "a drill"}
