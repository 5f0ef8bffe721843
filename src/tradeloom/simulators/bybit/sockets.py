"""The simulated Bybit's sockets: market data, the account, and orders."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from tradeloom.simulators.bybit.errors import TIMEOUT, BybitError, bad_param
from tradeloom.simulators.bybit.family import BybitFamily, Work, parsed
from tradeloom.simulators.bybit.signing import check_time, logged_in
from tradeloom.simulators.dialect import Socket, encode
from tradeloom.simulators.faults import FaultKind
from tradeloom.simulators.orders import Reason
from tradeloom.simulators.sessions import Session

_PRIVATE: Final = frozenset({"order", "execution", "execution.fast", "wallet", "position"})


class BybitSockets(BybitFamily):
    """Everything that comes in over a socket."""

    # ---- sockets -----------------------------------------------------------------------------

    def sockets(self) -> list[Socket]:
        """Market data, the account, orders."""
        return [
            Socket(f"/v5/public/{self.category}"),
            Socket("/v5/private", "private"),
            Socket("/v5/trade", "trade"),
        ]

    async def on_message(self, session: Session, text: str) -> None:
        """A frame of a client."""
        try:
            frame = parsed(text.encode())
        except BybitError:
            session.send(encode({"success": False, "ret_msg": "error:invalid json", "op": ""}))
            return
        op, args = frame.get("op"), frame.get("args") or []
        if op == "ping":
            self._pong(session, frame)
        elif op == "auth" and session.socket.purpose != "public":
            self._auth(session, frame, args)
        elif session.socket.purpose == "trade":
            await self._command(session, str(op), frame, args)
        elif op in ("subscribe", "unsubscribe"):
            self._subscription(session, frame, str(op), [str(each) for each in args])
        else:
            self._say(session, frame, success=False, ret_msg="error:invalid op")

    def _say(self, session: Session, frame: Mapping[str, Any], **more: Any) -> None:
        body = {
            "conn_id": f"sim-{session.id}",
            "req_id": frame.get("req_id", ""),
            "op": frame.get("op", ""),
        }
        session.send(encode({**more, **body}))

    def _pong(self, session: Session, frame: Mapping[str, Any]) -> None:
        if session.socket.purpose == "public":
            self._say(session, frame, success=True, ret_msg="pong")
        else:
            body = {
                "op": "pong",
                "args": [str(self.clock.now_ms())],
                "conn_id": f"sim-{session.id}",
            }
            session.send(encode(body))

    def _auth(self, session: Session, frame: Mapping[str, Any], args: list[object]) -> None:
        trade = session.socket.purpose == "trade"
        try:
            session.credentials = logged_in(args, self.keys, self.clock.now_ms())
        except BybitError as error:
            if trade:
                answer = {"retCode": error.code, "retMsg": error.text, "op": "auth"}
                session.send(encode({**answer, "connId": f"sim-{session.id}"}))
            else:
                self._say(session, frame, success=False, ret_msg=error.text)
            return
        if trade:
            answer = {"retCode": 0, "retMsg": "OK", "op": "auth", "connId": f"sim-{session.id}"}
            session.send(encode(answer))
        else:
            self._say(session, frame, success=True, ret_msg="")

    def _subscription(
        self, session: Session, frame: Mapping[str, Any], op: str, topics: list[str]
    ) -> None:
        if session.socket.purpose == "private":
            if session.credentials is None:
                self._say(session, frame, success=False, ret_msg="Request not authorized")
                return
            wrong = next((t for t in topics if not self._private_topic(t)), None)
        else:
            wrong = next((t for t in topics if not self.streams.known(t)), None)
            if len(topics) > self.topics_per_frame:
                self._say(session, frame, success=False, ret_msg="args size >10")
                return
        if wrong is not None:
            text = f"error:handler not found,topic:{wrong[:80]}"
            self._say(session, frame, success=False, ret_msg=text)
            return
        told: set[str] = session.state.setdefault("topics", set())
        self._say(
            session, frame, success=True, ret_msg=op if session.socket.purpose == "public" else ""
        )
        for topic in topics:
            if session.socket.purpose == "private":
                (told.add if op == "subscribe" else told.discard)(topic)
            elif op == "subscribe":
                self.streams.join(session, topic)
            else:
                self.unsubscribe(session, topic)

    def _private_topic(self, topic: str) -> bool:
        kind, _, category = topic.rpartition(".")
        return (
            topic in _PRIVATE
            or topic.startswith("dcp")
            or (kind in _PRIVATE and category in ("spot", "linear", "inverse", "option"))
        )

    async def _command(
        self, session: Session, op: str, frame: Mapping[str, Any], args: list[Any]
    ) -> None:
        answer: dict[str, Any] = {"reqId": frame.get("reqId", ""), "op": op}
        works: dict[str, tuple[Work, str]] = {
            "order.create": (self.trading.create, "create"),
            "order.amend": (self.trading.amend, "amend"),
            "order.cancel": (self.trading.cancel, "cancel"),
        }
        headers: Mapping[str, str] = {}
        result: dict[str, Any] = {}
        code, text = 0, "OK"
        try:
            result, headers = self._commanded(session, op, frame, args, works)
        except BybitError as error:
            code, text = error.code, error.text
        tail = {"header": dict(headers), "connId": f"sim-{session.id}"}
        full = {**answer, "retCode": code, "retMsg": text, "data": result, **tail}
        lost = {**answer, "retCode": TIMEOUT.code, "retMsg": TIMEOUT.text, "data": {}, **tail}
        await self.respond(
            session, op, encode(full), places=op == "order.create", unknown=encode(lost)
        )

    def _commanded(
        self, session: Session, op: str, frame: Mapping[str, Any], args: list[Any],
        works: Mapping[str, tuple[Work, str]],
    ) -> tuple[dict[str, Any], Mapping[str, str]]:  # fmt: skip
        refused = self.strikes(FaultKind.HTTP_STATUS, op)
        if refused:
            raise BybitError(10403 if refused.status == 429 else 10016, "Server error.")
        if session.credentials is None:
            raise BybitError(10005, "Request not authorized")
        if op not in works:
            raise BybitError(10404, f"op type {op[:40]} is not found")
        seen: set[str] = session.state.setdefault("requests", set())
        request = str(frame.get("reqId") or "")
        if request and request in seen:
            raise BybitError(20006, "reqId is duplicated")
        seen.add(request)
        if len(seen) > 10_000:
            seen.clear()
        head = frame.get("header") or {}
        stamp = str(head.get("X-BAPI-TIMESTAMP", ""))
        check_time(stamp, str(head.get("X-BAPI-RECV-WINDOW", "5000")), self.clock.now_ms())
        if len(args) != 1 or not isinstance(args[0], dict):
            raise bad_param("args")
        work, window = works[op]
        headers = self.count(session.credentials.account, window)
        return work(args[0], session.credentials.account), headers

    def on_closed(self, session: Session) -> None:
        """The dead-man switch waits for the account's last socket that carried its topic."""
        who = session.credentials
        armed = who is not None and who.account in self.dead_man_s
        if armed and who is not None and self.dead_man_topic in session.state.get("topics", ()):
            self.start(self._dead_man(who.account))

    async def _dead_man(self, account: str) -> None:
        await asyncio.sleep(self.dead_man_s[account])
        others = self.sessions_of(account)
        if not any(self.dead_man_topic in each.state.get("topics", ()) for each in others):
            self.exchange.cancel_all(account, None, Reason.BY_VENUE)
            self.flush()
