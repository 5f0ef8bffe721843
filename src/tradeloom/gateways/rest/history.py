"""Routes of history."""

from __future__ import annotations

from fastapi import APIRouter

from tradeloom.gateways.rest.gate import Gate


def router(gate: Gate) -> APIRouter:
    """The routes."""
    return APIRouter(prefix="/api/v1")
