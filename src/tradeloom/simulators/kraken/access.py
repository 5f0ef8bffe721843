"""Who may call: signatures, nonces that grow, counters that fall, tokens of sockets."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Final

import msgspec

from tradeloom.simulators.clock import VenueClock
from tradeloom.simulators.dialect import Call
from tradeloom.simulators.keys import Credentials, KeyRing, seeded_text
from tradeloom.simulators.kraken.errors import KrakenError
from tradeloom.simulators.rates import Bucket
from tradeloom.simulators.sessions import Session

TOKEN_NS: Final = 900 * 10**9
# Starter: 15 calls, one back in three seconds; 60 order points a pair, one back a second.
CALLS: Final = (15.0, 1 / 3)
ORDERS: Final = (60.0, 1.0)
# What a cancel or amendment costs by the order's age in seconds.
CANCEL: Final = ((5, 8), (10, 6), (15, 5), (45, 4), (90, 2), (300, 1))
AMEND: Final = ((5, 4), (10, 3), (15, 2))


class Token(msgspec.Struct):
    """A token of a socket: to be used by `until_ns`, then as good as its connection."""

    credentials: Credentials
    until_ns: int


class Access:
    """Keys, tokens and counters of the venue."""

    def __init__(self, keys: KeyRing, clock: VenueClock, seed: int) -> None:
        self._keys: Final = keys
        self._clock: Final = clock
        self._seed: Final = seed
        self._nonces: Final[dict[str, int]] = {}
        self._tokens: Final[dict[str, Token]] = {}
        self._made = 0
        self._calls: Final = Bucket(*CALLS, clock)
        self._orders: Final = Bucket(*ORDERS, clock)

    def caller(self, call: Call, params: dict[str, str], cost: float) -> Credentials:
        """Whose REST call it is; raises `KrakenError`."""
        credentials = self._keys.find(call.headers.get("API-Key", ""))
        if credentials is None:
            raise KrakenError("EAPI:Invalid key")
        nonce = params.get("nonce", "")
        secret = base64.b64decode(credentials.secret)
        digest = hashlib.sha256(nonce.encode() + call.body).digest()
        wanted = hmac.new(secret, call.path.encode() + digest, hashlib.sha512).digest()
        given = call.headers.get("API-Sign", "")
        if not hmac.compare_digest(base64.b64encode(wanted).decode(), given):
            raise KrakenError("EAPI:Invalid signature")
        if not nonce.isdigit() or int(nonce) <= self._nonces.get(credentials.key, -1):
            raise KrakenError("EAPI:Invalid nonce")
        self._nonces[credentials.key] = int(nonce)
        if not self._calls.take(credentials.key, cost):
            raise KrakenError("EAPI:Rate limit exceeded")
        return credentials

    def new_token(self, credentials: Credentials) -> str:
        """A new token for a key."""
        self._made += 1
        name = f"{credentials.key}/{self._made}/{self._clock.now_ns()}"
        token = seeded_text(self._seed, "token", name, length=43)
        self._tokens[token] = Token(credentials, self._clock.now_ns() + TOKEN_NS)
        return token

    def session(self, session: Session, token: str) -> Credentials:
        """Whose socket it is; raises `KrakenError`."""
        found = self._tokens.get(token)
        if found is None:
            raise KrakenError("ESession:Invalid session")
        if token not in session.state and self._clock.now_ns() > found.until_ns:
            raise KrakenError("ESession:Invalid session")
        session.state[token] = True
        session.credentials = found.credentials
        return found.credentials

    def expire(self) -> int:
        """End every token; how many there were."""
        found = len(self._tokens)
        self._tokens.clear()
        return found

    def order(self, account: str, symbol: str, cost: float) -> None:
        """Count an order; raises `KrakenError`."""
        if not self._orders.take(f"{account} {symbol}", cost):
            raise KrakenError("EOrder:Rate limit exceeded")

    def change(
        self, account: str, symbol: str, age_s: float, costs: tuple[tuple[int, int], ...]
    ) -> None:
        """Count a cancel or an amendment, which is never refused for that."""
        cost = float(next((cost for below, cost in costs if age_s < below), 0))
        who = f"{account} {symbol}"
        self._orders.take(who, min(cost, self._orders.left(who)))
