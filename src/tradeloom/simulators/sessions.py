"""One WebSocket connection of a client: a bounded queue out, pings, faults of its frames."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from typing import TYPE_CHECKING, Any, Final

from aiohttp import WSCloseCode, WSMsgType, web

from tradeloom.simulators.faults import FaultKind
from tradeloom.simulators.keys import Credentials
from tradeloom.simulators.limits import CLOSE_S, OUTGOING_FRAMES_MAX, WRITE_BATCH

if TYPE_CHECKING:
    from tradeloom.simulators.dialect import Call, Socket, VenueDialect

ABNORMAL: Final = 1006


class Session:
    """A connection. Dialects read `socket`, `call` and `channels`, keep their own things in
    `state`, set `credentials` at sign-in, and send with `send`.
    """

    def __init__(
        self,
        dialect: VenueDialect,
        socket: Socket,
        call: Call,
        connection: web.WebSocketResponse,
        transport: asyncio.Transport | None,
    ) -> None:
        self.id: Final = dialect.next_number()
        self.dialect: Final = dialect
        self.socket: Final = socket
        self.call: Final = call
        self.channels: Final[set[str]] = set()
        self.state: Final[dict[str, Any]] = {}
        self.credentials: Credentials | None = None
        self.sent = 0
        self._connection: Final = connection
        self._transport: Final = transport
        self._frames: deque[bytes] = deque()
        self._late: bytes | None = None  # a frame held back to come after the next one
        self._more: Final = asyncio.Event()
        self._silent_until = 0.0
        self._heard_pong = asyncio.Event()
        self._closing: tuple[int, bytes] | None = None

    # ---- sending -----------------------------------------------------------------------------

    @property
    def waiting(self) -> int:
        """Frames that were not written yet."""
        return len(self._frames)

    def send(self, frame: bytes, stream: str = "") -> None:
        """Queue a text frame; returns at once. With the name of its `stream`, faults may strike.

        A reader that lets `OUTGOING_FRAMES_MAX` frames pile up is cut.
        """
        if stream and self.dialect.faults.armed:
            self._send_faulty(frame, stream)
        else:
            self._push(frame)

    def _send_faulty(self, frame: bytes, stream: str) -> None:
        strikes = self.dialect.strikes
        if strikes(FaultKind.DROP_FRAME, stream):
            return
        if strikes(FaultKind.MALFORM_FRAME, stream):
            frame = frame[: len(frame) // 2]
        if self._late is None and strikes(FaultKind.REORDER_FRAME, stream):
            self._late = frame
            return
        self._push(frame)
        if strikes(FaultKind.DUPLICATE_FRAME, stream):
            self._push(frame)
        if self._late is not None:
            late, self._late = self._late, None
            self._push(late)

    def _push(self, frame: bytes) -> None:
        if len(self._frames) >= OUTGOING_FRAMES_MAX:
            if self._closing is None:
                self.close(WSCloseCode.POLICY_VIOLATION, "too slow")
                # A reader that takes nothing would not take the close frame either.
                asyncio.get_running_loop().call_later(CLOSE_S, self.cut)
            return
        self._frames.append(frame)
        self._more.set()

    def silence(self, seconds: float) -> None:
        """Send nothing for so long; what is queued waits."""
        self._silent_until = asyncio.get_running_loop().time() + seconds
        self._more.set()

    @property
    def silent_s(self) -> float:
        """How much longer nothing is sent."""
        return max(0.0, self._silent_until - asyncio.get_running_loop().time())

    def close(self, code: int = WSCloseCode.OK, reason: str = "") -> None:
        """Send what is queued, then a close frame."""
        self._closing = self._closing or (code, reason.encode()[:120])
        self._more.set()

    def cut(self) -> None:
        """Tear the connection down without a close frame: the client sees 1006."""
        if self._transport is not None:
            self._transport.abort()

    # ---- the loops ---------------------------------------------------------------------------

    async def serve(self) -> None:
        """Read until one side hangs up."""
        loops = [asyncio.create_task(self._write())]
        if self.socket.ping_s:
            loops.append(asyncio.create_task(self._ping()))
        try:
            await self._read()
        finally:
            for each in loops:
                each.cancel()
            await asyncio.gather(*loops, return_exceptions=True)

    async def _read(self) -> None:
        async for message in self._connection:
            match message.type:
                case WSMsgType.TEXT:
                    await self.dialect.on_message(self, message.data)
                case WSMsgType.BINARY:
                    await self.dialect.on_message(self, message.data.decode("utf-8", "replace"))
                case WSMsgType.PING:
                    self.dialect.on_control(self)
                    await self._pong(message.data)
                case WSMsgType.PONG:
                    self.dialect.on_control(self)
                    self._heard_pong.set()
                case _:
                    return

    async def _pong(self, payload: bytes) -> None:
        where = self.socket.path
        if self.dialect.strikes(FaultKind.NO_PONG, where):
            return
        late = self.dialect.strikes(FaultKind.LATE_PONG, where)
        wait_s = max(self.silent_s, late.seconds if late else 0.0)
        if wait_s:
            asyncio.get_running_loop().call_later(
                wait_s, lambda: self.dialect.start(self._pong_now(payload))
            )
        else:
            await self._pong_now(payload)

    async def _pong_now(self, payload: bytes) -> None:
        with contextlib.suppress(ConnectionError, RuntimeError):
            await self._connection.pong(payload)

    async def _write(self) -> None:
        frames, connection = self._frames, self._connection
        while True:
            await self._more.wait()
            self._more.clear()
            if self.silent_s:
                await asyncio.sleep(self.silent_s)
            written = 0
            while frames:
                try:
                    await connection.send_frame(frames.popleft(), WSMsgType.TEXT)
                except (ConnectionError, RuntimeError):
                    return
                self.sent += 1
                written += 1
                if self.silent_s:
                    await asyncio.sleep(self.silent_s)
                if written % WRITE_BATCH == 0:
                    await asyncio.sleep(0)
            if self._closing is not None:
                with contextlib.suppress(ConnectionError, RuntimeError, TimeoutError):
                    async with asyncio.timeout(CLOSE_S):
                        await connection.close(code=self._closing[0], message=self._closing[1])
                self.cut()
                return

    async def _ping(self) -> None:
        while True:
            await asyncio.sleep(self.socket.ping_s)
            if self.silent_s:
                continue
            self._heard_pong.clear()
            try:
                await self._connection.ping(str(self.dialect.clock.now_ms()).encode())
                async with asyncio.timeout(self.socket.pong_s):
                    await self._heard_pong.wait()
            except TimeoutError:
                self.close(WSCloseCode.POLICY_VIOLATION, "no pong")
                return
            except (ConnectionError, RuntimeError):
                return
