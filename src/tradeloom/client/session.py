"""A signed-in connection to a running service; the tokens are kept in a file of mode 0600."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import httpx

DEFAULT_URL: Final = "http://127.0.0.1:8000"
URL_VARIABLE: Final = "TRADELOOM_URL"
# A service that does not answer for so long is not there.
_TIMEOUT_S: Final = 15.0


class Failed(Exception):  # noqa: N818
    """Something did not work; the text says what and what to do."""


def tokens_path() -> Path:
    """Where the tokens are: TRADELOOM_TOKENS, else below the user's configuration directory."""
    given = os.environ.get("TRADELOOM_TOKENS")
    if given:
        return Path(given)
    base = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return Path(base) / "tradeloom" / "tokens.json"


def keep(url: str, tokens: Mapping[str, Any]) -> Path:
    """Write the tokens where only their owner reads them."""
    path = tokens_path()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    body = {key: tokens[key] for key in ("access_token", "refresh_token")} | {"url": url}
    draft = path.with_suffix(".new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(body, file)
    draft.replace(path)
    return path


class Session:
    """Calls the API; a token that expired is refreshed once. Raises `Failed`."""

    def __init__(self) -> None:
        try:
            kept = json.loads(tokens_path().read_text())
            self.url: str = kept["url"]
            self.token: str = kept["access_token"]
            self._refresh: str = kept["refresh_token"]
        except FileNotFoundError:
            raise Failed("nobody is signed in; run `tradeloom login` first") from None
        except (ValueError, KeyError, OSError) as error:
            raise Failed(f"{tokens_path()} cannot be read; run `tradeloom login`") from error

    def get(self, path: str, **params: Any) -> Any:
        """A GET, decoded."""
        return self._call("GET", path, params={k: v for k, v in params.items() if v is not None})

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """A POST, decoded."""
        return self._call("POST", path, json=dict(body))

    def _call(self, method: str, path: str, **options: Any) -> Any:
        answer = call(self.url, method, path, self.token, **options)
        if answer.status_code == 401 and self._refresh:
            body = {"refresh_token": self._refresh}
            fresh = decoded(call(self.url, "POST", "/auth/refresh", "", json=body))
            keep(self.url, fresh)
            self.token, self._refresh = fresh["access_token"], fresh["refresh_token"]
            answer = call(self.url, method, path, self.token, **options)
        return decoded(answer)


def call(url: str, method: str, path: str, token: str, **options: Any) -> httpx.Response:
    """One request; raises `Failed` when nobody answers."""
    import httpx

    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        with httpx.Client(timeout=_TIMEOUT_S, trust_env=False) as client:
            return client.request(method, f"{url}/api/v1{path}", headers=headers, **options)
    except httpx.HTTPError as error:
        raise Failed(f"{url} does not answer ({error}); is `tradeloom up` running?") from error


def decoded(answer: httpx.Response) -> Any:
    """The body of a good answer; raises `Failed` with the detail of a problem."""
    if answer.is_success:
        return answer.json() if answer.content else None
    try:
        problem = answer.json()
        raise Failed(str(problem["detail"]))
    except (ValueError, KeyError):
        raise Failed(f"HTTP {answer.status_code}") from None
