"""Makes the items of an iterator on a second thread, a few ahead of whoever takes them.

Reading and parsing ticks spends most of its time outside the interpreter lock, so it can go on
while the engine works. Order and content are those of the iterator.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, TypeVar

T = TypeVar("T")

_DEPTH: Final = 4  # chunks of about 65,000 ticks: two megabytes each
_POLL_S: Final = 0.1


class _End(Exception):  # noqa: N818 - not an error
    """Behind the last item."""


@contextmanager
def ahead(items: Iterator[T]) -> Iterator[Iterator[T]]:
    """An iterator over `items` that are made ahead; what they raise is raised there.

    Leaving the block stops making them.
    """
    waiting: queue.Queue[T | BaseException] = queue.Queue(_DEPTH)
    stopped = threading.Event()

    def offer(item: T | BaseException) -> None:
        while not stopped.is_set():
            try:
                waiting.put(item, timeout=_POLL_S)
            except queue.Full:
                continue
            return

    def make() -> None:
        try:
            for item in items:
                offer(item)
                if stopped.is_set():
                    return
            offer(_End())
        except BaseException as error:
            offer(error)

    def take() -> Iterator[T]:
        while True:
            item = waiting.get()
            if isinstance(item, _End):
                return
            if isinstance(item, BaseException):
                raise item
            yield item

    thread = threading.Thread(target=make, name="ticks-ahead", daemon=True)
    thread.start()
    try:
        yield take()
    finally:
        stopped.set()
        thread.join()
