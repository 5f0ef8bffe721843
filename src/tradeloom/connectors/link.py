"""One persistent WebSocket of a venue: comes back by itself, keeps itself alive, answers requests.

On every connection `opened` runs (log in, subscribe in order) before the link counts as up. Frames
go to `received` as they are read, on the loop, without a queue in between: the socket's own buffer
is the back-pressure, and a quote is never dropped here.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

import aiohttp

from tradeloom.connectors.backoff import Backoff
from tradeloom.connectors.budgets import Budgets, BudgetSpent
from tradeloom.connectors.contract import LinkHealth, VenueUnavailable
from tradeloom.connectors.limits import (
    CLOSE_TIMEOUT_S,
    CONNECT_TIMEOUT_S,
    FRAME_BYTES_MAX,
    LOGIN_TIMEOUT_S,
    SILENCE_MAX_S,
)
from tradeloom.connectors.profile import Window
from tradeloom.connectors.rest import NoAnswer, NotSent

log = logging.getLogger(__name__)


class LoginRefused(Exception):  # noqa: N818
    """The venue says these keys are wrong; `args[0]` tells which and what to do. Not retried."""


@dataclass(frozen=True, slots=True)
class LinkPlan:
    """How to reach and keep one socket.

    `ping` is a text to send every `ping_s` (venues that want their own; protocol-level pings are
    answered in any case). Silence of `silence_s`, without as much as a ping, closes the link.
    `frames_per_s` bounds what we send. After `age_max_s` the link is renewed before the venue cuts
    it. `key` tells links of one kind apart, such as the streams that a URL carries. With
    `heartbeat_s` we send protocol-level pings so often, for venues whose quiet streams say nothing;
    a missing pong closes the link.
    """

    name: str
    url: str
    ping: Callable[[], str] | None = None
    ping_s: float = 20.0
    silence_s: float = SILENCE_MAX_S
    frames_per_s: int = 5
    age_max_s: float = 0.0
    headers: tuple[tuple[str, str], ...] = ()
    key: str = ""
    heartbeat_s: float = 0.0


class Link:
    """A socket that is up, or on its way back up, until it is closed."""

    def __init__(
        self,
        plan: LinkPlan,
        session: Callable[[], aiohttp.ClientSession],
        opened: Callable[[Link], Awaitable[None]],
        received: Callable[[str | bytes, int], None],
        lost: Callable[[str], None],
        address: Callable[[LinkPlan], Awaitable[str]] | None = None,
    ) -> None:
        self.plan: Final = plan
        self.up = asyncio.Event()
        self.connects = 0
        self.frames = 0
        self.bytes = 0
        self.error = ""
        self.refused: LoginRefused | None = None
        self._session = session
        self._opened = opened
        self._received = received
        self._lost = lost
        self._address = address
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._last = time.monotonic()
        self._backoff = Backoff()
        self._pacing = Budgets((Window("frames", plan.frames_per_s, 1.0),))
        self._waiting: dict[str, asyncio.Future[bytes]] = {}
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to connect, or try once more what was refused."""
        if self._task is None or self._task.done():
            self.refused = None
            self._task = asyncio.create_task(self._run(), name=f"link {self.plan.name}")

    async def close(self) -> None:
        """Close for good."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def drop(self, why: str) -> None:
        """Close this connection; the link comes back by itself."""
        self.error = why
        if self._socket is not None and not self._socket.closed:
            with contextlib.suppress(TimeoutError, OSError):
                async with asyncio.timeout(CLOSE_TIMEOUT_S):
                    await self._socket.close()

    async def send(self, frame: str | bytes) -> None:
        """Send one frame at the venue's pace. Raises NotSent."""
        await self._pacing.take({"frames": 1}, max_wait_s=LOGIN_TIMEOUT_S)
        socket = self._socket
        if socket is None or socket.closed:
            raise NotSent(f"{self.plan.name}: not connected")
        try:
            await (socket.send_str(frame) if isinstance(frame, str) else socket.send_bytes(frame))
        except (ConnectionError, aiohttp.ClientError, OSError) as error:
            raise NoAnswer(f"{self.plan.name}: connection lost ({type(error).__name__})") from None

    async def request(self, key: str, frame: str, timeout_s: float) -> bytes:
        """Send, and wait for the frame that `answer` is called with under the same key.

        Raises NotSent, NoAnswer. `key` must be new: venues echo it.
        """
        future: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._waiting[key] = future
        try:
            await self.send(frame)
            async with asyncio.timeout(timeout_s):
                return await future
        except TimeoutError:
            raise NoAnswer(f"{self.plan.name}: no answer within {timeout_s:g} s") from None
        finally:
            self._waiting.pop(key, None)

    def answer(self, key: str, frame: bytes | str) -> bool:
        """Give a waiting `request` its answer; False when nobody waits for this key."""
        future = self._waiting.get(key)
        if future is None or future.done():
            return False
        future.set_result(frame.encode() if isinstance(frame, str) else frame)
        return True

    @property
    def silent_s(self) -> float:
        """Seconds since the last frame."""
        return time.monotonic() - self._last

    def health(self) -> LinkHealth:
        """How it is."""
        return LinkHealth(
            name=self.plan.name,
            up=self.up.is_set(),
            connects=self.connects,
            frames=self.frames,
            bytes=self.bytes,
            silent_s=round(self.silent_s, 3),
            error=self.error,
        )

    async def _run(self) -> None:
        while True:
            try:
                await self._once()
            except LoginRefused as error:
                self.error, self.refused = str(error), error
            except (VenueUnavailable, BudgetSpent) as error:
                self.error = str(error)
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                self.error = f"{type(error).__name__} at {self.plan.name}"
            finally:
                self._down()
            self._lost(self.error)
            if self.refused is not None:
                return  # a person must look: trying wrong keys again only gets the address banned
            await asyncio.sleep(self._backoff.next_s())

    async def _once(self) -> None:
        url = await self._address(self.plan) if self._address else self.plan.url
        # Never wait_for in here: before Python 3.12 it can swallow the cancellation of `close`.
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            socket = await self._session().ws_connect(
                url,
                headers=dict(self.plan.headers),
                max_msg_size=FRAME_BYTES_MAX,
                autoping=False,  # answered below: a ping is a sign of life
                heartbeat=self.plan.heartbeat_s or None,
                compress=0,
            )
        self._socket = socket
        self._last = time.monotonic()
        self.connects += 1
        self.error = ""
        keeper = asyncio.create_task(self._keep(socket))
        opening = asyncio.create_task(self._open(socket))
        try:
            received = self._received
            while True:
                message = await socket.receive()
                kind = message.type
                if kind is aiohttp.WSMsgType.TEXT or kind is aiohttp.WSMsgType.BINARY:
                    self._last = time.monotonic()
                    self.frames += 1
                    self.bytes += len(message.data)
                    received(message.data, time.time_ns())
                elif kind is aiohttp.WSMsgType.PING:
                    self._last = time.monotonic()
                    await socket.pong(message.data)
                elif kind is aiohttp.WSMsgType.PONG:
                    self._last = time.monotonic()
                elif kind is aiohttp.WSMsgType.ERROR:
                    raise NoAnswer(f"{self.plan.name}: bad frame ({socket.exception()!r:.80})")
                else:
                    why = f"{self.plan.name}: closed by the venue ({socket.close_code})"
                    # An answer that says why may be here already: let the opening hear it.
                    self._give_up(why)
                    await asyncio.wait({opening}, timeout=CLOSE_TIMEOUT_S)
                    self.error = self.error or why
                    break
            if opening.done() and not opening.cancelled():
                opening.result()
        finally:
            for task in (keeper, opening):
                task.cancel()
            await asyncio.gather(keeper, opening, return_exceptions=True)
            with contextlib.suppress(Exception):
                async with asyncio.timeout(CLOSE_TIMEOUT_S):
                    await socket.close()

    async def _open(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        try:
            await self._opened(self)
        except LoginRefused as error:
            self.refused, self.error = error, str(error)
            await socket.close()
        except (VenueUnavailable, BudgetSpent, TimeoutError) as error:
            self.error = f"{self.plan.name}: {str(error) or 'the venue did not answer the log-in'}"
            await socket.close()
        except asyncio.CancelledError:
            raise
        except Exception:
            # A fault of ours must not leave a link that is neither up nor coming back.
            log.exception("opening %s", self.plan.name)
            self.error = f"{self.plan.name}: could not be opened"
            await socket.close()
        else:
            self._backoff.up()
            self.up.set()

    async def _keep(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        """Pings, silence and age."""
        plan = self.plan
        born = pinged = time.monotonic()
        while not socket.closed:
            await asyncio.sleep(min(plan.ping_s, plan.silence_s, 5.0) / 4)
            now = time.monotonic()
            if plan.ping is not None and now - pinged >= plan.ping_s:
                pinged = now
                with contextlib.suppress(NotSent, NoAnswer):
                    await self.send(plan.ping())
            if self.silent_s > plan.silence_s:
                await self.drop(f"{plan.name}: silent for {plan.silence_s:g} s")
            elif plan.age_max_s and now - born > plan.age_max_s:
                await self.drop(f"{plan.name}: renewed before the venue's age limit")

    def _down(self) -> None:
        self.up.clear()
        self._socket = None
        self._give_up(f"{self.plan.name}: connection lost")
        self._waiting.clear()

    def _give_up(self, why: str) -> None:
        """No answer will come to those who wait for one."""
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(NoAnswer(why))
