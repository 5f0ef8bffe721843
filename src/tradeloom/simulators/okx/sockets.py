"""The simulated OKX's sockets: channels, log-in, orders."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from tradeloom.simulators.dialect import Socket, encode
from tradeloom.simulators.faults import FaultKind
from tradeloom.simulators.okx.errors import BUSY, TIMEOUT, TOO_MANY, OkxError
from tradeloom.simulators.okx.family import Change, OkxFamily, parsed
from tradeloom.simulators.okx.signing import logged_in
from tradeloom.simulators.sessions import Session

_PRIVATE: Final = frozenset({"orders", "account", "positions", "balance_and_position", "fills"})
_OPS: Final = {
    "order": "place", "batch-orders": "place", "amend-order": "amend",
    "batch-amend-orders": "amend", "cancel-order": "cancel", "batch-cancel-orders": "cancel",
}  # fmt: skip


class OkxSockets(OkxFamily):
    """Everything that comes in over a socket."""

    def sockets(self) -> list[Socket]:
        """Public, business (nothing of its own here) and private."""
        return [
            Socket("/ws/v5/public"),
            Socket("/ws/v5/business"),
            Socket("/ws/v5/private", "private"),
        ]

    async def on_message(self, session: Session, text: str) -> None:
        """A frame of a client."""
        if text == "ping":
            if not self.strikes(FaultKind.NO_PONG, session.socket.path):
                session.send(b"pong")
            return
        try:
            frame = parsed(text.encode())
            op = str(frame.get("op") or "")
            args = frame.get("args")
            if not isinstance(args, list) or not all(isinstance(each, dict) for each in args):
                raise OkxError("60012", f"Invalid request: {text[:200]}")
            if op == "login":
                self._login(session, args)
            elif op in ("subscribe", "unsubscribe"):
                for arg in args:
                    self._subscription(session, frame, op, arg)
            elif op in _OPS:
                await self._order(session, frame, op, args)
            else:
                raise OkxError("60012", f"Invalid request: {text[:200]}")
        except OkxError as error:
            code = "60012" if error.code == "50002" else error.code
            self._say(session, {"event": "error", "code": code, "msg": error.text})

    def _say(self, session: Session, body: Mapping[str, Any]) -> None:
        session.send(encode({**body, "connId": f"{session.id:08x}"}))

    def _login(self, session: Session, args: list[dict[str, Any]]) -> None:
        if session.socket.purpose != "private":
            raise OkxError("60008", "Please use private address to log in")
        session.credentials = logged_in(args[0] if args else {}, self.keys, self.clock.now_ms())
        self._say(session, {"event": "login", "code": "0", "msg": ""})

    def _subscription(
        self, session: Session, frame: Mapping[str, Any], op: str, arg: dict[str, Any]
    ) -> None:
        channel = str(arg.get("channel") or "")
        told = {"id": frame["id"]} if frame.get("id") else {}
        answer = {**told, "event": op, "arg": arg}
        if channel in _PRIVATE:
            if session.credentials is None:
                raise OkxError("60011", "Please log in")
            held: dict[str, dict[str, Any]] = session.state.setdefault("channels", {})
            self._say(session, answer)
            if op == "subscribe":
                held[channel] = arg
                self.welcome(session, channel, arg)
            else:
                held.pop(channel, None)
            return
        market = self.streams.market(channel, str(arg.get("instId") or ""))
        if market is None:
            where = f"channel:{channel[:40]},instId:{str(arg.get('instId'))[:40]}"
            raise OkxError("60018", f"Wrong URL or {where} doesn't exist.")
        self._say(session, answer)
        if op == "subscribe":
            self.streams.join(session, channel, market)
        else:
            self.unsubscribe(session, f"{channel}:{market.instrument.wire}")

    def welcome(self, session: Session, channel: str, arg: Mapping[str, Any]) -> None:
        """What a private channel begins with."""
        if session.credentials is None:
            return
        account = session.credentials.account
        if channel == "account":
            data = self.trading.balance({}, account)
            more = {"eventType": "snapshot", "curPage": 1, "lastPage": True}
            session.send(encode({"arg": arg, **more, "data": data}))
        elif channel == "positions":
            data = self.trading.positions({}, account)
            session.send(encode({"arg": arg, "data": data}))

    async def _order(
        self, session: Session, frame: Mapping[str, Any], op: str, args: list[dict[str, Any]]
    ) -> None:
        if session.credentials is None:
            raise OkxError("60011", "Please log in")
        account, window = session.credentials.account, _OPS[op]
        works: dict[str, Change] = {
            "place": self.trading.place,
            "amend": self.trading.amend,
            "cancel": self.trading.cancel,
        }
        head: dict[str, Any] = {"id": str(frame.get("id") or ""), "op": op}
        code, text = "0", ""
        data: list[dict[str, Any]] = []
        began = self.clock.now_ns() // 1_000
        try:
            refused = self.strikes(FaultKind.HTTP_STATUS, op)
            if refused:
                raise TOO_MANY if refused.status == 429 else BUSY
            for each in args:
                # Since 2026-02-03 orders on a socket name the instrument by its number.
                if "instIdCode" not in each:
                    raise OkxError("51000", "Parameter instIdCode error")
                self.count(window, f"{account}{each['instIdCode']}")
            orders = [{**each, "expTime": frame.get("expTime")} for each in args]
            code, data = self.trading.each(works[window], orders, account)
        except OkxError as error:
            code, text = error.code, error.text
        tail = {"inTime": str(began), "outTime": str(self.clock.now_ns() // 1_000)}
        answer = encode({**head, "code": code, "msg": text, "data": data, **tail})
        lost = encode({**head, "code": TIMEOUT.code, "msg": TIMEOUT.text, "data": [], **tail})
        await self.respond(session, op, answer, places=window == "place", unknown=lost)
