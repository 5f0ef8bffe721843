"""Tradeloom, a self-hosted trading platform: engine, mirror, connectors, patches, fleet."""

__version__ = "0.1.0"

__all__ = ["__version__"]
