"""The file of secrets, key rotation, sealed values, and logs without secrets."""

from __future__ import annotations

import io
import json
import logging
import os
import stat
import threading
from pathlib import Path

import pytest
import structlog

from tests.security.conftest import Clock
from tradeloom.security import BadToken, InsecureSecrets, Secrets
from tradeloom.security.redaction import REDACTED, RedactingFilter, redact, redact_event
from tradeloom.security.sealing import Seal
from tradeloom.security.tokens import AccessTokens, new_api_key, new_refresh_token

NOW = Clock().ns()


def test_the_file_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "data" / "secrets.json"
    old = os.umask(0)  # even where the umask would let everybody read
    try:
        first = Secrets.load(path, {})
    finally:
        os.umask(old)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    again = Secrets.load(path, {})
    assert again.tokens.keys == first.tokens.keys
    assert again.seal.keys == first.seal.keys
    assert [one.name for one in path.parent.iterdir()] == ["secrets.json"]
    shown = repr(first) + repr(first.tokens)
    assert not any(key.hex() in shown or repr(key) in shown for key in first.tokens.keys.values())


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660, 0o601])
def test_a_file_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "secrets.json"
    Secrets.load(path, {})
    path.chmod(mode)
    with pytest.raises(InsecureSecrets, match=f"mode {mode:04o}.*chmod 600"):
        Secrets.load(path, {})
    path.chmod(0o600)
    Secrets.load(path, {})


def test_a_link_or_a_foreign_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "secrets.json"
    Secrets.load(path, {})
    link = tmp_path / "link.json"
    link.symlink_to(path)
    with pytest.raises(InsecureSecrets, match="plain file"):
        Secrets.load(link, {})
    if os.geteuid() == 0:
        os.chown(path, 65_534, 65_534)
        with pytest.raises(InsecureSecrets, match="another user"):
            Secrets.load(path, {})


@pytest.mark.parametrize(
    "damage", ["", "{}", "[]", '{"tokens": {}, "seal": {}}', '{"tokens": {"a": "xx"}, "seal": {}}']
)
def test_a_damaged_file_is_refused_and_kept(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "secrets.json"
    path.write_text(damage)
    path.chmod(0o600)
    with pytest.raises(InsecureSecrets, match="backup"):
        Secrets.load(path, {})
    assert path.read_text() == damage


def test_many_at_once_make_one_file(tmp_path: Path) -> None:
    path, found = tmp_path / "secrets.json", list[Secrets]()
    threads = [
        threading.Thread(target=lambda: found.append(Secrets.load(path, {}))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({next(iter(one.tokens.keys.values())) for one in found}) == 1


def test_the_environment_comes_first(tmp_path: Path) -> None:
    path = tmp_path / "secrets.json"
    key = "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE="
    both = {"TRADELOOM_TOKEN_KEYS": f"new:{key},old:{key}", "TRADELOOM_SEAL_KEYS": f"s:{key}"}
    given = Secrets.load(path, both)
    assert not path.exists()
    assert list(given.tokens.keys) == ["new", "old"]
    one = Secrets.load(path, {"TRADELOOM_TOKEN_KEYS": f"new:{key}"})
    assert (one.tokens.newest[0], path.exists()) == ("new", True)
    for bad in ("nonsense", "a:!!!", "a:QUFB", f"{key}"):
        with pytest.raises(InsecureSecrets) as caught:
            Secrets.load(path, {"TRADELOOM_TOKEN_KEYS": bad})
        assert bad not in str(caught.value)


def test_rotation_keeps_what_was_signed_and_sealed_readable(tmp_path: Path) -> None:
    path = tmp_path / "secrets.json"
    first = Secrets.load(path, {})
    token = AccessTokens(first.tokens).issue(7, "s", NOW)
    sealed = Seal(first.seal).close(b"seed", "totp:7")
    second = first.rotate(path)
    assert AccessTokens(second.tokens).verify(token, NOW).user_id == 7
    assert Secrets.load(path, {}).tokens.keys == second.tokens.keys
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    third = second.rotate(path)
    with pytest.raises(BadToken):
        AccessTokens(third.tokens).verify(token, NOW)
    assert Seal(third.seal).open(sealed, "totp:7") == b"seed"


def test_a_sealed_value_opens_only_in_its_place(tmp_path: Path) -> None:
    seal = Seal(Secrets.load(tmp_path / "a.json", {}).seal)
    other = Seal(Secrets.load(tmp_path / "b.json", {}).seal)
    sealed = seal.close(b"seed", "totp:7")
    assert b"seed" not in sealed
    assert seal.open(sealed, "totp:7") == b"seed"
    for wrong, owner in ((sealed, "totp:8"), (sealed[:-1] + b"x", "totp:7"), (b"", "totp:7")):
        with pytest.raises(InsecureSecrets):
            seal.open(wrong, owner)
    with pytest.raises(InsecureSecrets, match="not in the secrets file"):
        other.open(sealed, "totp:7")


JWT = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJlLXdpdGgtbGVuZ3Ro"
REFRESH = "tlr_" + "aB3-_" * 8 + "xyz"
API_KEY = "tlk_0a1b2c3d_" + "aB3-_" * 8 + "xyz"


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        (f"token {JWT} refused", JWT),
        (f"refresh with {REFRESH}", REFRESH),
        (f"key={API_KEY}", API_KEY),
        ("Authorization: Bearer abc123def456ghi", "abc123def456ghi"),
        ("authorization: Basic YWRtaW46aHVudGVyMg==", "YWRtaW46aHVudGVyMg=="),
        ("connect postgresql://loom:hunter2@db/x", "hunter2"),
        ('{"login": "anna", "password": "hunter2 and more"}', "hunter2 and more"),
        ("{'new_password': 'hunter2'}", "hunter2"),
        ("POST /x?access_token=hunter2&y=1", "hunter2"),
        ("Set-Cookie: session=hunter2; Path=/", "hunter2"),
        ("X-Api-Key: hunter2", "hunter2"),
    ],
)
def test_secrets_in_texts_are_hidden(text: str, secret: str) -> None:
    for found in (redact(text), redact({"event": [text.encode()]}), redact(ValueError(text))):
        assert secret not in str(found)
        assert REDACTED in str(found)


def test_what_is_issued_is_hidden() -> None:
    for secret in (new_refresh_token()[0], new_api_key()[0]):
        assert redact(f"a line with {secret} in it") == f"a line with {REDACTED} in it"


@pytest.mark.parametrize(
    "plain",
    [
        "order 5 of account 7 filled at 1.08351",
        "TRADE_NO_MONEY (134) in volume: not enough free margin",
        "GET https://example.org/api/v1/orders?cursor=abc",
        "postgresql://loom@db/x",
    ],
)
def test_other_texts_stay_as_they_are(plain: str) -> None:
    assert redact(plain) == plain
    assert redact({"text": plain, "code": 134, "tokens": 5, "ok": True, "none": None}) == {
        "text": plain, "code": 134, "tokens": 5, "ok": True, "none": None,
    }  # fmt: skip


def test_structlog_shows_no_secret() -> None:
    out = io.StringIO()
    log = structlog.wrap_logger(
        structlog.PrintLogger(out),
        processors=[
            structlog.processors.format_exc_info,
            redact_event,
            structlog.processors.JSONRenderer(default=str),
        ],
    ).bind(authorization=f"Bearer {JWT}")
    try:
        raise RuntimeError(f"could not use {REFRESH}")
    except RuntimeError:
        typed = {"password": "hunter2", "body": {"nested": {"totp": "123456"}}}
        log.exception("sign-in", **typed)
    line = out.getvalue()
    for secret in (JWT, REFRESH, "hunter2", "123456"):
        assert secret not in line
    assert json.loads(line)["event"] == "sign-in"


def test_standard_logging_shows_no_secret() -> None:
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.addFilter(RedactingFilter())
    log = logging.Logger("test")
    log.addHandler(handler)
    try:
        raise RuntimeError(f"could not use {API_KEY}")
    except RuntimeError:
        log.exception("header Authorization: Bearer %s", JWT)
    log.info("an odd format %s", "fits")
    assert API_KEY not in out.getvalue()
    assert JWT not in out.getvalue()
    assert "an odd format fits" in out.getvalue()
