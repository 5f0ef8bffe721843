"""Log-in at Schwab: the address for a person, the exchange of the code, the renewal of tokens."""

from __future__ import annotations

import base64
import time
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

import msgspec

from tradeloom.connectors.budgets import Budgets
from tradeloom.connectors.contract import VenueUnavailable
from tradeloom.connectors.link import LoginRefused
from tradeloom.connectors.rest import Reply, Rest
from tradeloom.connectors.venues.schwab.profile import PROFILE, REDIRECT, RENEW_SHARE

REFRESH_LIFE_S: Final = 7 * 86_400


@dataclass(frozen=True, slots=True, repr=False)
class Tokens:
    """What a log-in or renewal gave. `refresh` goes into the vault; neither is ever shown."""

    access: str
    refresh: str
    access_s: float
    refreshed_at: float

    def __repr__(self) -> str:
        return "Tokens(…)"


class _Answer(msgspec.Struct):
    access_token: str = ""
    refresh_token: str = ""
    expires_in: float = 1_800.0
    error: str = ""
    error_description: str = ""


def login_address(app_key: str, redirect: str = REDIRECT, base: str = "") -> str:
    """Where a person logs in; the browser then goes to `redirect` with a code."""
    query = urlencode({"client_id": app_key, "redirect_uri": redirect})
    return f"{base or PROFILE.urls['rest']}/v1/oauth/authorize?{query}"


def code_in(address: str) -> str:
    """The code in the address that the browser went to after the log-in. Raises ValueError."""
    found = parse_qs(urlsplit(address).query).get("code")
    if not found:
        raise ValueError("that address holds no code=…; copy it whole from the browser")
    return found[0]


async def exchange_code(
    app_key: str, app_secret: str, code: str, redirect: str = REDIRECT, base: str = ""
) -> Tokens:
    """Tokens for the code of a log-in (or the whole address it came in); holds for 30 s only.

    Put `Tokens.refresh` into the vault as the refresh token. Raises LoginRefused,
    VenueUnavailable.
    """
    rest = Rest(Budgets(PROFILE.windows))
    form = {
        "grant_type": "authorization_code",
        "code": code_in(code) if "://" in code else unquote(code),
        "redirect_uri": redirect,
    }
    try:
        url = base or PROFILE.urls["rest"]
        return await _ask(rest, url, app_key, app_secret, form, redirect)
    finally:
        await rest.close()


async def renew(
    rest: Rest, base: str, app_key: str, app_secret: str, refresh: str, redirect: str
) -> Tokens:
    """A new access token. Raises LoginRefused when a person must log in, VenueUnavailable."""
    form = {"grant_type": "refresh_token", "refresh_token": refresh}
    return await _ask(rest, base, app_key, app_secret, form, redirect)


async def _ask(
    rest: Rest, base: str, app_key: str, app_secret: str, form: dict[str, str], redirect: str
) -> Tokens:
    pair = base64.b64encode(f"{app_key}:{app_secret}".encode()).decode()
    reply = await rest.call(
        "POST",
        f"{base}/v1/oauth/token",
        headers={
            "Authorization": f"Basic {pair}",
            "Content-Type": "application/x-www-form-urlencoded",
        },
        body=urlencode(form).encode(),
        costs={"requests": 1.0},
    )
    try:
        answer = msgspec.json.decode(reply.body, type=_Answer)
    except msgspec.DecodeError:
        answer = _Answer()
    if reply.status == 200 and answer.access_token:
        refresh = answer.refresh_token or form.get("refresh_token", "")
        life = answer.expires_in * RENEW_SHARE
        return Tokens(answer.access_token, refresh, life, time.monotonic())
    if reply.status >= 500 or reply.status == 429:
        raise VenueUnavailable(f"Schwab gives no token now (HTTP {reply.status})")
    raise _refused(reply, answer, base, form, redirect)


def _refused(
    reply: Reply, answer: _Answer, base: str, form: dict[str, str], redirect: str
) -> LoginRefused:
    if answer.error == "invalid_client" or (reply.status == 401 and not answer.error):
        return LoginRefused(
            "Schwab does not know this app key with this app secret: copy both again from the "
            "app's page at developer.schwab.com, and check that the app is Ready For Use"
        )
    if form["grant_type"] == "authorization_code":
        return LoginRefused(
            f"Schwab refused the code ({answer.error or reply.status}): it holds for 30 seconds "
            "and once only, and the redirect address must be the app's own; log in again"
        )
    address = login_address("YOUR_APP_KEY", redirect, base)
    return LoginRefused(
        f"Schwab's 7-day log-in has ended ({answer.error or reply.status}): a person must log in "
        f"at {address} and put the new refresh token into the vault"
    )
