"""What the service counts of itself, as Prometheus metrics in a registry of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.process_collector import ProcessCollector

_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0)


class Meters:
    """Counters and gauges of one process; children of labels are bound once and kept."""

    def __init__(self) -> None:
        self.registry: Final = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        registry = self.registry
        self._requests = Counter(
            "tradeloom_requests", "Requests by route and status.", ("route", "status"),
            registry=registry,
        )  # fmt: skip
        self._seconds = Histogram(
            "tradeloom_request_seconds", "Time to the last byte of an answer.", ("route",),
            buckets=_BUCKETS, registry=registry,
        )  # fmt: skip
        self.sockets: Final = Gauge(
            "tradeloom_sockets", "Open WebSocket connections.", registry=registry
        )
        self.socket_messages: Final = Counter(
            "tradeloom_socket_messages", "Messages sent to WebSocket clients.", registry=registry
        )
        self.socket_cut: Final = Counter(
            "tradeloom_socket_cut", "Clients cut because they read too slowly.", registry=registry
        )
        self._bound: dict[tuple[str, int], Callable[[float], None]] = {}

    def gauge(self, name: str, about: str, read: Callable[[], float]) -> None:
        """A gauge that is read when somebody asks."""
        Gauge(name, about, registry=self.registry).set_function(read)

    def request(self, route: str, status: int, seconds: float) -> None:
        """Count one finished request."""
        bound = self._bound.get((route, status))
        if bound is None:
            count = self._requests.labels(route, str(status)).inc
            observe = self._seconds.labels(route).observe

            def bound(took: float) -> None:
                count()
                observe(took)

            self._bound[route, status] = bound
        bound(seconds)

    def text(self, names: Iterable[str] | None = None) -> bytes:
        """Everything in the text format of Prometheus."""
        return generate_latest(self.registry)
