"""Packed commands for load: the smallest encoder there can be, from the core's layout tables."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from tradeloom.engine.records import COMMAND_HEADER, INPUT_HEADER, INPUTS

UNIT: Final = 10**8
EUR, USD = 0, 1
DEPOSIT: Final = 0


def command(name: str, account: int, command_id: str = "", /, **fields: int) -> bytes:
    """A command record, time 0: the shard stamps it."""
    record = INPUTS[name]
    body = record.pack(fields)
    return _framed(record.kind, account, command_id, body)


def definition(name: str, body: Mapping[str, Any]) -> bytes:
    """A DEFINE_* record: JSON, zero padded."""
    raw = json.dumps(body).encode()
    return _framed(INPUTS[name].kind, 0, "", raw + bytes(-len(raw) % 8))


def quote(bid: int, ask: int, instrument: int = 0) -> bytes:
    """A QUOTE record, time 0."""
    record = INPUTS["Quote"]
    body = record.pack({"instrument": instrument, "bid": bid, "ask": ask})
    return INPUT_HEADER.pack(INPUT_HEADER.size + len(body), record.kind, 0, 0) + body


def deposit(account: int, command_id: str = "", amount: int = UNIT) -> bytes:
    """Money for an account."""
    return command("Balance", account, command_id, op=DEPOSIT, amount=amount)


def buy(account: int, command_id: str = "", volume: int = UNIT // 100) -> bytes:
    """A market order for 0.01 lot."""
    return command("PlaceOrder", account, command_id, volume=volume, max_deviation=-1)


def close_all(account: int, command_id: str = "") -> bytes:
    """Close what the account has."""
    return command("CloseAll", account, command_id, instrument=0xFFFFFFFF)


def opening(accounts: int, money: int = 10_000 * UNIT) -> bytes:
    """EURUSD, one hedging group, and accounts 1 … `accounts` with money."""
    market = {
        "symbol": "EURUSD",
        "digits": 5,
        "calc": "forex",
        "base": "EUR",
        "profit": "USD",
        "margin": "EUR",
        "contract_size": 100_000 * UNIT,
    }
    group = {"name": "demo", "currency": "USD", "leverage": 100, "mode": "hedging"}
    parts = [
        definition("DefineCurrency", {"code": "EUR", "digits": 2}),
        definition("DefineCurrency", {"code": "USD", "digits": 2}),
        definition("DefineInstrument", market),
        definition("DefineGroup", group),
        quote(110_000, 110_002),
    ]
    for account in range(1, accounts + 1):
        parts.append(command("OpenAccount", account, "open"))
        parts.append(deposit(account, "start", money))
    return b"".join(parts)


def _framed(kind: int, account: int, command_id: str, body: bytes) -> bytes:
    length = INPUT_HEADER.size + COMMAND_HEADER.size + len(body)
    head = INPUT_HEADER.pack(length, kind, 0, 0)
    return head + COMMAND_HEADER.pack(account, command_id.encode()) + body
