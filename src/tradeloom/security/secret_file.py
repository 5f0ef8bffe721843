"""The secrets of an installation: from the environment, or from a file only its owner can read.

The file is made at the first start with mode 0600. A file that others may read is refused, not
repaired: who could read it may have done so.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import secrets
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from .errors import InsecureSecrets
from .limits import OLD_KEYS_KEPT

KEY_BYTES: Final = 32
ENVIRONMENT: Final = {"tokens": "TRADELOOM_TOKEN_KEYS", "seal": "TRADELOOM_SEAL_KEYS"}
"""Variables that replace the file: `id:base64,id:base64`, the newest first."""


@dataclass(frozen=True, slots=True, repr=False)
class KeyRing:
    """Keys of one purpose by their id; the first is used for new things, all of them for old."""

    keys: Mapping[str, bytes]

    @property
    def newest(self) -> tuple[str, bytes]:
        """Id and key for new things."""
        return next(iter(self.keys.items()))

    def rotated(self, keep: int | None) -> KeyRing:
        """The ring with a new key in front; `keep` old ones stay (None: all)."""
        old = list(self.keys.items())[:keep]
        return KeyRing(dict([(secrets.token_hex(4), secrets.token_bytes(KEY_BYTES)), *old]))

    def __repr__(self) -> str:
        return f"KeyRing({', '.join(self.keys)})"


@dataclass(frozen=True, slots=True, repr=False)
class Secrets:
    """`tokens` signs access tokens; `seal` encrypts what the database must not show."""

    tokens: KeyRing
    seal: KeyRing

    @classmethod
    def load(cls, path: Path, environment: Mapping[str, str] | None = None) -> Secrets:
        """From the environment where it is set there, else from `path`, made if it is missing.

        Raises InsecureSecrets.
        """
        environment = os.environ if environment is None else environment
        given = {
            purpose: _parse(variable, environment[variable])
            for purpose, variable in ENVIRONMENT.items()
            if environment.get(variable)
        }
        rings = dict(given)
        if len(rings) < len(ENVIRONMENT):
            rings = _read(path) if path.exists() else _create(path)
        return cls(**(rings | given))

    def rotate(self, path: Path) -> Secrets:
        """New signing and sealing keys, in the file; what was signed or sealed stays readable.

        An old signing key verifies until the next rotation; sealing keys are kept for ever.
        """
        changed = Secrets(self.tokens.rotated(OLD_KEYS_KEPT), self.seal.rotated(None))
        _write(path, {"tokens": changed.tokens, "seal": changed.seal})
        return changed


def _create(path: Path) -> dict[str, KeyRing]:
    rings = {purpose: KeyRing({}).rotated(0) for purpose in ENVIRONMENT}
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        # Exclusive: of two processes that start at once, one makes the file and both read it.
        _write(path, rings, exclusive=True)
    except FileExistsError:
        return _read(path)
    return rings


def _write(path: Path, rings: Mapping[str, KeyRing], *, exclusive: bool = False) -> None:
    """Under another name first, so that the file is never half there."""
    text = json.dumps(
        {
            purpose: {key_id: base64.b64encode(key).decode() for key_id, key in ring.keys.items()}
            for purpose, ring in rings.items()
        },
        indent=1,
    )
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if exclusive:
            os.link(draft, path)
        else:
            draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def check_mode(path: Path) -> None:
    """Raise InsecureSecrets unless the file is a plain one of ours that nobody else can read."""
    found = path.lstat()
    if not stat.S_ISREG(found.st_mode):
        raise InsecureSecrets(f"{path} is not a plain file; put the secrets in one")
    if found.st_uid != os.geteuid():
        raise InsecureSecrets(f"{path} belongs to another user; run as its owner, or chown it")
    mode = stat.S_IMODE(found.st_mode)
    if mode & 0o077:
        raise InsecureSecrets(
            f"{path} has mode {mode:04o}, so others can read it: run `chmod 600 {path}`, "
            "and if others use this machine, rotate the keys"
        )


def _read(path: Path) -> dict[str, KeyRing]:
    check_mode(path)
    try:
        rings = {
            purpose: KeyRing(
                {
                    key_id: _key(text)
                    for key_id, text in json.loads(path.read_text())[purpose].items()
                }
            )
            for purpose in ENVIRONMENT
        }
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise InsecureSecrets(
            f"{path} is damaged ({type(error).__name__}): restore it from a backup; "
            "without it sessions end and second factors must be set up again"
        ) from None
    if not all(ring.keys for ring in rings.values()):
        raise InsecureSecrets(f"{path} is damaged (no keys): restore it from a backup")
    return rings


def _parse(variable: str, text: str) -> KeyRing:
    try:
        pairs = (part.strip().split(":", 1) for part in text.split(","))
        return KeyRing({key_id: _key(key) for key_id, key in pairs})
    except ValueError:
        raise InsecureSecrets(
            f"{variable} must be id:base64 of {KEY_BYTES} bytes, several joined by commas"
        ) from None


def _key(text: str) -> bytes:
    try:
        key = base64.b64decode(text, validate=True)
    except (binascii.Error, TypeError) as error:
        raise ValueError("not base64") from error
    if len(key) != KEY_BYTES:
        raise ValueError("wrong length")
    return key
