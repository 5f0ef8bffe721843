"""What Binance's markets have in common: one table of operations behind REST and the WebSocket
API, signed requests, limits with their headers, and the market streams' frames.
"""

from __future__ import annotations

import itertools
from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar, Final, Literal

import msgspec

from tradeloom.simulators.binance.budgets import Budgets, Limit, OverLimit
from tradeloom.simulators.binance.errors import (
    BAD_KEY,
    BAD_KEY_FORMAT,
    UNKNOWN_OUTCOME,
    BinanceError,
)
from tradeloom.simulators.binance.params import Params
from tradeloom.simulators.binance.signing import check_signature, check_time
from tradeloom.simulators.binance.streams import Streams
from tradeloom.simulators.clock import Clock
from tradeloom.simulators.dialect import (
    Call,
    Handler,
    Reply,
    Route,
    VenueDialect,
    encode,
    json_reply,
)
from tradeloom.simulators.faults import FaultKind
from tradeloom.simulators.figures import scaled
from tradeloom.simulators.keys import Credentials, ed25519, ed25519_pem, seeded_text
from tradeloom.simulators.orders import Reason, Refused
from tradeloom.simulators.rates import FixedWindow
from tradeloom.simulators.references import USD_LIKE
from tradeloom.simulators.sessions import Session

CONNECTS_PER_5_MINUTES: Final = 300
KEY_LENGTH: Final = 64

Security = Literal["none", "key", "signed"]


class Caller(msgspec.Struct, frozen=True):
    """Who sent a request: an address, and the key if the operation wants one."""

    ip: str
    credentials: Credentials | None = None
    session: Session | None = None

    @property
    def account(self) -> str:
        """The account of the key; the operation's security says that there is one."""
        if self.credentials is None:
            raise BAD_KEY
        return self.credentials.account


Work = Callable[[Params, Caller], Any]


class Operation(msgspec.Struct, frozen=True):
    """One thing that can be asked, by REST (`verb`, `path`), by the WebSocket API (`method`), or
    both. `orders` marks placements, which count on the account and weigh nothing when they work.
    """

    work: Work
    method: str = ""
    verb: str = ""
    path: str = ""
    security: Security = "none"
    weight: int | Callable[[Params], int] = 1
    orders: int = 0
    scope: str = "read"


class ApiFrame(msgspec.Struct):
    """A frame of the WebSocket API."""

    method: str
    id: int | str | None = None
    params: msgspec.Raw = msgspec.Raw(b"")


class Family(VenueDialect):
    """Base of the Binance dialects."""

    limits: ClassVar[Sequence[Limit]]
    refusals: ClassVar[Mapping[Reason, tuple[int, str]]]
    messages_per_s: ClassVar[int] = 5

    def __init__(
        self, *, seed: int, clock: Clock, symbols: Sequence[str] = (), demo_keys: bool = True
    ) -> None:
        super().__init__(seed=seed, clock=clock, symbols=symbols, demo_keys=demo_keys)
        self.single_trades: Final[set[str]] = set()  # of recordings, see `recorded.py`
        self.budgets = Budgets(self.limits, self.clock)
        self.client_ids: Final = (f"sim{number:019d}" for number in itertools.count(1))
        self._connects: Final = FixedWindow(CONNECTS_PER_5_MINUTES, 300 * 10**9, self.clock)
        self._operations: Final = {each.method: each for each in self.operations() if each.method}
        self.streams: Final = self.make_streams()

    @abstractmethod
    def operations(self) -> Iterable[Operation]:
        """Everything that can be asked."""

    @abstractmethod
    def make_streams(self) -> Streams:
        """The market streams."""

    # ---- keys --------------------------------------------------------------------------------

    def demo_credentials(self, seed: int) -> list[Credentials]:
        """An HMAC key and an Ed25519 key of the same account."""
        private, public = ed25519(seed, self.name, "ed25519")
        return [
            Credentials(
                key=seeded_text(seed, self.name, "key", length=KEY_LENGTH),
                secret=seeded_text(seed, self.name, "secret", length=KEY_LENGTH),
            ),
            Credentials(
                key=seeded_text(seed, self.name, "ed25519 key", length=KEY_LENGTH),
                secret=ed25519_pem(private),
                public_key=public,
            ),
        ]

    def credentials_of(self, text: str) -> Credentials:
        """`KEY:SECRET`, for HMAC keys."""
        key, colon, secret = text.partition(":")
        if not (key and colon and secret):
            raise ValueError(f"a key of {self.name} is KEY:SECRET")
        return Credentials(key=key, secret=secret)

    # ---- requests ----------------------------------------------------------------------------

    def routes(self) -> list[Route]:
        """The operations that have a path."""
        return [
            Route(each.verb, each.path, self._handler(each), places=bool(each.orders))
            for each in self.operations()
            if each.path
        ]

    def _handler(self, operation: Operation) -> Handler:
        async def handle(call: Call) -> Reply:
            account: str | None = None
            try:
                params = Params.of_call(call)
                weight = self._weigh(operation, params, call.ip)
                caller = self._caller(operation, call, params)
                account = caller.credentials.account if caller.credentials else None
                result = self._do(operation, params, caller, weight)
                reply = json_reply(result)
            except BinanceError as error:
                reply = error.reply()
            except OverLimit as over:
                reply = self._over(over)
            headers = self.budgets.headers(call.ip, account)
            return msgspec.structs.replace(reply, headers={**headers, **reply.headers})

        return handle

    def _weigh(self, operation: Operation, params: Params, ip: str) -> int:
        weight = operation.weight if isinstance(operation.weight, int) else operation.weight(params)
        self.budgets.spend(ip, weight)
        return weight

    def _caller(self, operation: Operation, call: Call, params: Params) -> Caller:
        if operation.security == "none":
            return Caller(call.ip)
        key = call.headers.get("X-MBX-APIKEY", "")
        return Caller(call.ip, self.authorised(operation, key, params))

    def authorised(self, operation: Operation, key: str, params: Params) -> Credentials:
        """The key's credentials once key, signature and time are right; raises `BinanceError`."""
        if not key.isascii() or not key.isalnum():
            raise BAD_KEY_FORMAT
        credentials = self.keys.find(key)
        if credentials is None or operation.scope not in credentials.scopes:
            raise BAD_KEY
        if operation.security == "signed":
            if not params.signature:
                raise BinanceError(
                    -1102,
                    "Mandatory parameter 'signature' was not sent, was empty/null, or malformed.",
                )
            check_time(params, self.clock.now_ms())
            check_signature(credentials, params)
        return credentials

    def _do(self, operation: Operation, params: Params, caller: Caller, weight: int) -> Any:
        if operation.orders:
            for _ in range(operation.orders):
                self.budgets.order(caller.account)
        try:
            result = operation.work(params, caller)
        except Refused as refused:
            raise self.refusal(refused) from refused
        if operation.orders:
            self.budgets.refund(caller.ip, weight)
        return result

    def refusal(self, refused: Refused) -> BinanceError:
        """What the exchange did not accept, in Binance's words."""
        code, text = self.refusals.get(refused.reason, (-2010, str(refused)))
        return BinanceError(code, text)

    def _over(self, over: OverLimit) -> Reply:
        error = self._over_error(over)
        reply = error.reply()
        headers = {"Retry-After": str(over.retry_after_s)}
        return msgspec.structs.replace(reply, headers=headers)

    @staticmethod
    def _over_error(over: OverLimit) -> BinanceError:
        limit = over.limit
        span = f"{limit.count} {limit.interval}"
        if over.banned_until_ms:
            return BinanceError(
                -1003,
                f"Way too much request weight used; IP banned until {over.banned_until_ms}. "
                "Please use WebSocket Streams for live updates to avoid bans.",
                418,
            )
        if limit.kind == "ORDERS":
            text = f"Too many new orders; current limit is {limit.limit} orders per {span}."
            return BinanceError(-1015, text, 429)
        return BinanceError(
            -1003,
            f"Too much request weight used; current limit is {limit.limit} request weight per "
            f"{span}. Please use WebSocket Streams for live updates to avoid polling the API.",
            429,
        )

    def failure(self, status: int, retry_after_s: float, where: str) -> Reply:
        """429, 418 and 503 as Binance words them."""
        headers = {"Retry-After": str(max(1, round(retry_after_s)))}
        if status in (418, 429):
            until_ms = self.clock.now_ms() + round(retry_after_s * 1_000)
            limit = next(each for each in self.limits if each.kind == "REQUEST_WEIGHT")
            over = OverLimit(limit, max(1, round(retry_after_s)), until_ms if status == 418 else 0)
            return self._over(over)
        if status == 503:
            return UNKNOWN_OUTCOME.reply()
        return json_reply({"code": -1000, "msg": "An unknown error occurred."}, status, headers)

    # ---- the WebSocket API -------------------------------------------------------------------

    async def on_api_frame(self, session: Session, text: str) -> None:
        """A frame on the WebSocket API."""
        try:
            frame = msgspec.json.decode(text, type=ApiFrame)
        except msgspec.DecodeError:
            error = BinanceError(-1135, "Malformed JSON request; expected an object with 'method'.")
            session.send(self._answer(session, None, error))
            return
        operation = self._operations.get(frame.method)
        if operation is None:
            session.send(
                self._answer(
                    session, frame.id, BinanceError(-1135, f"Unknown method {frame.method[:60]!r}.")
                )
            )
            return
        struck = self.refused_request(frame.method)
        if struck is not None:
            session.send(self._answer(session, frame.id, struck))
            return
        ip = session.call.ip
        rows = True
        try:
            params = Params.of_frame(bytes(frame.params))
            rows = params.text("returnRateLimits", "true") == "true"
            weight = self._weigh(operation, params, ip)
            caller = Caller(ip, self._frame_credentials(operation, session, params), session)
            outcome: Any = self._do(operation, params, caller, weight)
        except BinanceError as error:
            outcome = error
        except OverLimit as over:
            outcome = self._over_error(over)
        await self.respond(
            session,
            frame.method,
            self._answer(session, frame.id, outcome, rows),
            places=bool(operation.orders),
            unknown=self._answer(session, frame.id, UNKNOWN_OUTCOME, rows),
        )

    def refused_request(self, where: str) -> BinanceError | None:
        """The HTTP_STATUS fault, for a frame."""
        fault = self.strikes(FaultKind.HTTP_STATUS, where)
        if fault is None:
            return None
        body = msgspec.json.decode(self.failure(fault.status or 503, fault.seconds, where).body)
        return BinanceError(body["code"], body["msg"], fault.status or 503)

    def _frame_credentials(
        self, operation: Operation, session: Session, params: Params
    ) -> Credentials | None:
        if operation.security == "none":
            return None
        if "apiKey" not in params and session.state.get("logged_on"):
            if operation.security == "signed":
                check_time(params, self.clock.now_ms())
            return session.credentials
        return self.authorised(operation, params.text("apiKey"), params)

    def _answer(
        self, session: Session, request_id: int | str | None, outcome: Any, rows: bool = True
    ) -> bytes:
        answer: dict[str, Any] = {"id": request_id, "status": 200}
        if isinstance(outcome, BinanceError):
            answer["status"] = outcome.status
            answer["error"] = outcome.body()
        else:
            answer["result"] = outcome
        if rows:
            held = session.credentials
            answer["rateLimits"] = self.budgets.rows(
                session.call.ip, held.account if held else None
            )
        return encode(answer)

    # ---- sockets -----------------------------------------------------------------------------

    def may_connect(self, call: Call) -> Reply | None:
        """300 connections per address in five minutes."""
        if self._connects.add(call.ip):
            return None
        return self.failure(429, self._connects.ends_in_s(), call.path)

    def framed(self, session: Session, channel: str, payload: bytes) -> bytes:
        """Combined connections get the stream's name around it."""
        return self.streams.framed(session, channel, payload)

    # ---- figures -----------------------------------------------------------------------------

    def starting_balances(self) -> dict[str, int]:
        """A million of the dollar-like, a hundred of everything else."""
        return {
            asset: scaled("1000000" if asset in USD_LIKE else "100", 8)
            for asset in sorted(self.exchange.spot_assets())
        }

    def new_client_id(self) -> str:
        """A client id for an order that came without one."""
        return next(self.client_ids)
