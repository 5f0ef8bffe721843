"""The compiled engine: a deterministic state machine over packed records (docs/engine/wire.md)."""

from typing import Any, TypedDict, final

WIRE_VERSION: int
__version__: str

class AccountRow(TypedDict):
    """One account; money at 8 decimals. `equity` and `margin` include isolated positions."""

    id: int
    group: int
    leverage: int
    flags: int
    currency: int
    state: int
    level: int
    balance: int
    credit: int
    isolated: int
    cross_equity: int
    cross_margin: int
    equity: int
    margin: int
    free: int
    fees: int
    realised: int
    funding: int
    positions: int
    orders: int
    opened: int

class LayoutRow(TypedDict):
    """Kind number, body size in bytes, and (field, format letter) pairs of a record."""

    kind: int
    size: int
    fields: list[tuple[str, str]]

@final
class Core:
    """One engine shard. Not thread safe; long calls release the GIL."""

    def __new__(cls, shard: int = 0) -> Core: ...
    def apply(self, batch: bytes) -> bytes:
        """Applies input records in order and returns the packed events."""

    def apply_muted(self, batch: bytes) -> int:
        """Applies without output; returns how many inputs were admitted."""

    def admit(self, batch: bytes) -> tuple[bytes | None, bytes]:
        """(admitted records, or None for all; RESULT events of the rest). Changes nothing."""

    def snapshot(self) -> bytes:
        """The whole state as bytes."""

    @staticmethod
    def restore(data: bytes) -> Core:
        """The engine of a snapshot. Raises ValueError for damaged or newer bytes."""

    def state_hash(self) -> bytes:
        """SHA-256 of the state, 32 bytes (semantics section 14)."""

    def check(self) -> None:
        """Recomputes the invariants. Raises RuntimeError naming the first that does not hold."""

    @property
    def shard(self) -> int: ...
    @property
    def input_seq(self) -> int: ...
    @property
    def event_seq(self) -> int: ...
    @property
    def now(self) -> int:
        """Time of the last admitted input, UTC ns."""

    def accounts(self) -> list[int]:
        """Ids in opening order, closed accounts too."""

    def account(self, account: int, /) -> AccountRow | None: ...
    def positions(self, account: int, /) -> bytes:
        """Open positions as packed POSITION events, ascending by id."""

    def position_profits(self, account: int, /) -> list[tuple[int, int, int]]:
        """(position, floating profit at 8 decimals, price it would close at)."""

    def orders(self, account: int, /) -> bytes:
        """Pending and routed orders as packed ORDER events, ascending by id."""

    def quote(self, index: int) -> tuple[int, int, int]:
        """(bid, ask, time); zeros before the first quote. Raises ValueError for no such index."""

    def instruments(self) -> list[str]:
        """JSON definitions by index."""

    def groups(self) -> list[str]: ...
    def currencies(self) -> list[str]: ...
    def ledger(self, account: int, /) -> list[tuple[int, int, int, int]]:
        """(ledger, sub, currency index, amount) of a customer, zeros left out."""

    def house(self) -> list[tuple[int, int, int]]:
        """(ledger, currency index, amount) of the house, zeros left out."""

    def trial_balance(self) -> list[tuple[int, int, int, int]]:
        """(ledger, currency index, customers, house); the last two add up to zero."""

    def trading_states(self) -> tuple[int, list[int], list[int], list[tuple[int, int]]]:
        """Shard, groups by index, instruments by index, accounts that are not active."""

    def stats(self) -> dict[str, int]:
        """Counts, and bytes of the fixed structures."""

def layouts() -> dict[str, dict[str, LayoutRow]]:
    """Layout tables of every record: "inputs", "events" and "headers", by record name."""

def codes() -> dict[str, dict[str, int]]:
    """Numbers of every enumeration: {enum: {variant: number}}."""

def crc32c(data: bytes, seed: int = 0) -> int:
    """CRC32C (Castagnoli), continuing from `seed`."""

@final
class FrameReader:
    """Takes a few fields of a venue's JSON frames as exact integers, in one pass.

    `path` are the keys of objects to descend; `fields` are (key, kind, required) of the object it
    ends in, with kinds int, price (points of the instrument), size (units of 1e-8, finer digits
    cut), bool, text, levels (pairs of price and size). `off_grid` is raised with a message for a
    number that does not fit.
    """

    def __new__(
        cls,
        path: list[str],
        fields: list[tuple[str, str, bool]],
        off_grid: type[Exception],
    ) -> FrameReader: ...
    def read(self, frame: str | bytes, digits: int) -> tuple[Any, ...]:
        """The values in the order of the fields; None for an optional one that is not there.

        Raises `off_grid`, and ValueError for a text that is not JSON or lacks a required field.
        """

@final
class TickReader:
    """Gathers the rows of market streams' frames, in one pass and without an object per event."""

    def __new__(cls) -> TickReader: ...
    def add(self, frames: list[bytes]) -> list[tuple[int, str]]:
        """Takes frames, each whole or not at all; positions and problems of those not taken."""

    @property
    def rows(self) -> int:
        """Quotes, trades and fundings gathered."""

    def take(
        self,
    ) -> tuple[
        list[tuple[str, int, int, int]],
        list[tuple[str, str, int]],
        bytes,
        bytes,
        list[str],
        list[tuple[int, bytes]],
    ]:
        """Everything gathered, and nothing is left.

        Per frame its producer, seq, and how many quotes and trades there are up to its end; keys
        (venue, symbol, digits); quotes as rows of eight little-endian i64 (number of the key,
        ts_ns, venue_ns, bid, ask, bid_size, ask_size, seq); trades as rows of six (number of the
        key, ts_ns, venue_ns, price, size, side: 1 bought, -1 sold, 0 not told); the ids of trades;
        funding events as (position of the frame, MessagePack).
        """
