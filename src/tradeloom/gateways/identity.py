"""Who a request comes from, for every gateway: tokens and keys, remembered for a second."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Coroutine
from typing import Any

from tradeloom.gateways.limits import TOKEN_CACHE_S, TOKEN_GRACE_S, TOKENS_CACHED_MAX
from tradeloom.gateways.problems import MEANINGS, ApiCode, Problem
from tradeloom.security.rights import Principal
from tradeloom.store import Unavailable

Verify = Callable[[str], Coroutine[Any, Any, Principal]]


class Callers:
    """Verifies tokens; a hot client costs one look-up in a dictionary per call."""

    def __init__(self, verify: Verify) -> None:
        self._verify = verify
        self._known: OrderedDict[str, tuple[Principal, float]] = OrderedDict()
        self._asked: dict[str, asyncio.Task[Principal]] = {}

    def known(self, token: str) -> Principal | None:
        """The caller of a token that was verified within the last second."""
        found = self._known.get(token)
        if found is not None and found[1] > time.monotonic():
            return found[0]
        return None

    async def of(self, token: str) -> Principal:
        """The caller of a token or API key; raises the errors of the security room."""
        found = self.known(token)
        if found is not None:
            return found
        # Many requests with one token ask once.
        task = self._asked.get(token)
        if task is None:
            task = self._asked[token] = asyncio.ensure_future(self._ask(token))
            task.add_done_callback(lambda _: self._asked.pop(token, None))
        return await asyncio.shield(task)

    async def _ask(self, token: str) -> Principal:
        try:
            caller = await self._verify(token)
        except Unavailable:
            found = self._known.get(token)
            if found is None or not _graced(*found):
                raise
            return found[0]
        self._known[token] = (caller, time.monotonic() + TOKEN_CACHE_S)
        self._known.move_to_end(token)
        if len(self._known) > TOKENS_CACHED_MAX:
            self._known.popitem(last=False)
        return caller

    def forget(self) -> None:
        """Verify every token again: rights, sessions or accounts changed."""
        self._known.clear()


def _graced(caller: Principal, until: float) -> bool:
    """True if a caller may go on although nobody can be asked about it now."""
    lives = not caller.expires or caller.expires > time.time()
    return lives and until + TOKEN_GRACE_S > time.monotonic()


def unauthenticated(code: ApiCode = ApiCode.UNAUTHENTICATED) -> Problem:
    """401 with the challenge it needs."""
    headers = {"WWW-Authenticate": 'Bearer realm="tradeloom"'}
    return Problem(401, code, MEANINGS[code], headers=headers)
