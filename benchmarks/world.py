"""The market and accounts of the engine benchmarks, built as packed batches."""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tradeloom import _core

UNIT = 10**8
LOT = UNIT
#: Formats of `struct` and numpy by the format letters of the layout tables.
_NUMPY = {"B": "u1", "H": "<u2", "I": "<u4", "Q": "<u8", "q": "<i8", "s": "S32", "n": "V16"}
_LAYOUTS = _core.layouts()


def dtype_of(kind: str, *, command: bool) -> np.dtype[np.void]:
    """Structured type of a whole input record: headers and body."""
    fields: list[tuple[str, str]] = [("len", "<u4"), ("kind", "<u2"), ("flags", "<u2")]
    fields.append(("ts", "<i8"))
    if command:
        fields += [("account", "<u8"), ("id", "S32")]
    body = _LAYOUTS["inputs"][kind]["fields"]
    fields += [(f"b_{name}", _NUMPY[code]) for name, code in body]
    return np.dtype(fields)


def records(kind: str, count: int, *, command: bool = True) -> NDArray[np.void]:
    """`count` zeroed records of a kind with length and kind filled in."""
    dtype = dtype_of(kind, command=command)
    rows = np.zeros(count, dtype)
    rows["len"] = dtype.itemsize
    rows["kind"] = _LAYOUTS["inputs"][kind]["kind"]
    return rows


def define(kind: str, body: dict[str, object], ts: int = 1) -> bytes:
    """A DEFINE record."""
    text = json.dumps(body).encode()
    text += b"\0" * (-len(text) % 8)
    number = _LAYOUTS["inputs"][kind]["kind"]
    head = struct.pack("<IHHqQ32s", 56 + len(text), number, 0, ts, 0, b"")
    return head + text


@dataclass
class World:
    """A core with instruments, one group and accounts, ready to trade."""

    instruments: int
    accounts: int
    balance: int
    price: int = 100_000
    spread: int = 2
    group: dict[str, object] = field(default_factory=dict)
    #: Whether the accounts' balances differ (see the deposits).
    varied: bool = False
    core: _core.Core = field(init=False)
    ts: int = 1
    last_id: int = 0

    def __post_init__(self) -> None:
        self.core = _core.Core()
        setup = define("DefineCurrency", {"code": "USD", "digits": 2})
        for n in range(self.instruments):
            setup += define(
                "DefineInstrument",
                {
                    "symbol": f"SYM{n:03d}",
                    "digits": 3,
                    "calc": "cfd_leverage",
                    "base": "USD",
                    "profit": "USD",
                    "margin": "USD",
                    "contract_size": 1000 * UNIT,
                },
            )
        group = {"name": "bench", "currency": "USD", "leverage": 100, "mode": "hedging"}
        setup += define("DefineGroup", group | self.group)
        self.run(setup)
        ids = np.arange(1, self.accounts + 1, dtype=np.uint64)
        opens = records("OpenAccount", self.accounts)
        opens["account"], opens["ts"] = ids, self.ts
        self.run(opens.tobytes())
        deposits = records("Balance", self.accounts)
        deposits["account"], deposits["ts"] = ids, self.ts
        # Accounts are not funded alike: from one to two and three quarter times `balance`.
        funds = self.balance + self.balance // 4 * (np.arange(self.accounts) % 8) * self.varied
        amounts = np.zeros((self.accounts, 2), np.uint64)
        amounts[:, 0] = funds
        deposits["b_amount"] = amounts.view("V16")[:, 0]
        self.run(deposits.tobytes())
        self.bid = np.full(self.instruments, self.price, np.int64)
        self.run(self.quotes(np.arange(self.instruments), self.bid))

    def run(self, batch: bytes) -> bytes:
        """Applies a batch that must succeed."""
        before = self.core.input_seq
        events = self.core.apply(batch)
        assert self.core.input_seq > before, "the batch was refused"
        return events

    def quotes(self, instrument: NDArray[np.int64], bid: NDArray[np.int64]) -> bytes:
        """Packed quotes at the world's spread."""
        rows = records("Quote", len(instrument), command=False)
        self.ts += 1
        rows["ts"] = self.ts
        rows["b_instrument"], rows["b_bid"], rows["b_ask"] = instrument, bid, bid + self.spread
        return rows.tobytes()

    def orders(
        self,
        account: NDArray[np.uint64],
        instrument: NDArray[np.int64],
        side: NDArray[np.int64],
        volume: int,
        stops: int = 0,
        first_id: int | None = None,
    ) -> bytes:
        """Packed market orders, with SL and TP `stops` points away (0 = none)."""
        rows = records("PlaceOrder", len(account))
        self.ts += 1
        rows["ts"], rows["account"] = self.ts, account
        rows["b_instrument"], rows["b_side"], rows["b_volume"] = instrument, side, volume
        rows["b_max_deviation"] = -1
        if stops:
            bid = self.bid[instrument]
            sign = np.where(side == 0, 1, -1)
            rows["b_sl"], rows["b_tp"] = bid - sign * stops, bid + sign * stops
        if first_id is not None:
            rows["id"] = np.char.mod("c%d", np.arange(first_id, first_id + len(account)))
        return rows.tobytes()

    def closes(
        self, account: NDArray[np.uint64], position: NDArray[np.uint64], first_id: int
    ) -> bytes:
        """Packed CLOSE_POSITION of whole positions."""
        rows = records("ClosePosition", len(account))
        self.ts += 1
        rows["ts"], rows["account"], rows["b_position"] = self.ts, account, position
        rows["b_max_deviation"] = -1
        rows["id"] = np.char.mod("c%d", np.arange(first_id, first_id + len(account)))
        return rows.tobytes()


def seats(
    accounts: int, instruments: int, per_account: int, rng: np.random.Generator
) -> tuple[NDArray[np.uint64], NDArray[np.int64], NDArray[np.int64]]:
    """Accounts, distinct instruments and sides of `per_account` positions each (4 and 5 mixed)."""
    account = np.repeat(np.arange(1, accounts + 1, dtype=np.uint64), per_account)
    start = rng.integers(0, instruments, accounts)
    stride = rng.integers(1, instruments // 8, accounts)
    steps = np.arange(per_account)
    instrument = ((start[:, None] + stride[:, None] * steps) % instruments).ravel()
    side = rng.integers(0, 2, accounts * per_account)
    return account, instrument.astype(np.int64), side.astype(np.int64)
