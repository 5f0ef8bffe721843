"""OpenTelemetry, when asked for: one span per request, sent where OTEL_EXPORTER_OTLP_* says.

Spans are made by hand at the edge; automatic instrumentation costs several times a whole request.
"""

from __future__ import annotations

import importlib
from typing import Any

from tradeloom import __version__


class TracingMissing(RuntimeError):  # noqa: N818
    """Tracing was asked for and its packages are not installed."""


def tracer() -> Any:
    """A tracer of the OpenTelemetry SDK; raises `TracingMissing`."""
    try:
        sdk = importlib.import_module("opentelemetry.sdk.trace")
        export = importlib.import_module("opentelemetry.sdk.trace.export")
        otlp = importlib.import_module("opentelemetry.exporter.otlp.proto.http.trace_exporter")
        resources = importlib.import_module("opentelemetry.sdk.resources")
    except ImportError as error:
        raise TracingMissing(
            "tracing needs more packages: pip install 'tradeloom[otel]', or unset TRADELOOM_OTEL"
        ) from error
    named = {"service.name": "tradeloom", "service.version": __version__}
    provider = sdk.TracerProvider(resource=resources.Resource.create(named))
    provider.add_span_processor(export.BatchSpanProcessor(otlp.OTLPSpanExporter()))
    return provider.get_tracer("tradeloom", __version__)
