"""Turns the event stream of one shard into rows: pure, no database.

Events of a batch are folded before they are written: of an order or a position only its newest
state, of a ledger account only the sum of its legs. Nothing but the digits of instruments is
remembered between batches, so a batch may be cut anywhere.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from typing import Final

from . import writes as w
from .errors import CorruptEvents, EventGap
from .records import (
    ACCOUNT,
    CONFIG,
    FILL,
    HEADER,
    KINDS,
    LEDGER,
    LEG,
    MARGIN,
    ORDER,
    POSITION,
    STATE,
)

_CURRENCY, _INSTRUMENT, _GROUP = 10, 11, 12  # what EventConfig.kind says was defined
_CASH: Final = 1
_SUB_CREDIT: Final = 1
_OUT_OF_TRADING: Final = frozenset((1, 2, 3, 4, 5, 12, 13, 14))  # Posting: cash without a fill
_PROFIT, _COMMISSION = 9, 8
_LIVE: Final = frozenset((0, 1, 6, 7, 8, 9, 10, w.MODIFIED))  # OrderState
_CLOSED: Final = 2  # PositionState
_NO_TRADE: Final = bytes(32)
_HALF: Final = 1 << 64

Handler = Callable[[bytes, int, int, int, int], None]


class Projection:
    """The rows that events behind `last_seq` make; `digits` are those of the instruments."""

    def __init__(self, shard: int, last_seq: int, digits: dict[int, int]) -> None:
        self.shard: Final = shard
        self.last_seq = last_seq
        self._digits = digits
        handlers: dict[str, Handler] = {
            "EventConfig": self._config,
            "EventAccount": self._account,
            "EventLedger": self._ledger,
            "EventOrder": self._order,
            "EventFill": self._fill,
            "EventPosition": self._position,
            "EventMargin": self._margin,
            "EventState": self._state,
        }
        self._handlers = {KINDS[name]: handler for name, handler in handlers.items()}
        self._clear()

    def _clear(self) -> None:
        self._currencies: dict[int, w.Row] = {}
        self._instruments: dict[int, w.Row] = {}
        self._groups: dict[int, w.Row] = {}
        self._accounts: dict[int, w.Row] = {}
        self._balances: dict[int, w.Row] = {}
        self._levels: dict[int, w.Row] = {}
        self._orders: dict[int, list[object]] = {}
        self._positions: dict[int, w.Row] = {}
        self._fills: list[w.Row] = []
        self._transfers: list[w.Row] = []
        self._operations: list[w.Row] = []
        self._margins: list[w.Row] = []
        self._states: dict[tuple[int, int], w.Row] = {}
        self._sums: dict[tuple[int, int, int, int], list[int]] = {}

    def take(self, data: bytes) -> int:
        """Fold the events of `data` into the batch; returns how many were new.

        Events up to `last_seq` and answers (seq 0) are passed over. Raises EventGap and
        CorruptEvents; what stands before the fault has been taken.
        """
        at, end, taken = 0, len(data), 0
        header, size, handlers = HEADER.unpack_from, HEADER.size, self._handlers
        try:
            while at < end:
                length, kind, _, seq, ts, cause = header(data, at)
                if length < size or at + length > end:
                    raise CorruptEvents(at, f"length {length}, {end - at} bytes are there")
                if seq > self.last_seq:
                    if seq != self.last_seq + 1:
                        raise EventGap(self.last_seq + 1, seq)
                    handler = handlers.get(kind)
                    if handler is not None:
                        handler(data, at + size, seq, ts, cause)
                    self.last_seq = seq
                    taken += 1
                at += length
        except struct.error as error:
            raise CorruptEvents(at, str(error)) from error
        return taken

    def rows(self) -> w.Writes:
        """The statements of the batch, in the order they must run; the next batch is empty."""
        found: w.Writes = (
            (w.CURRENCIES, list(self._currencies.values())),
            (w.INSTRUMENTS, list(self._instruments.values())),
            (w.GROUPS, list(self._groups.values())),
            (w.ACCOUNTS, list(self._accounts.values())),
            (w.BALANCES, list(self._balances.values())),
            (w.LEVELS, list(self._levels.values())),
            (w.ORDERS, [tuple(row) for row in self._orders.values()]),
            (w.POSITIONS, list(self._positions.values())),
            (w.FILLS, self._fills),
            (w.TRANSFERS, self._transfers),
            (w.LEDGER, self._ledger_rows()),
            (w.OPERATIONS, self._operations),
            (w.MARGIN_EVENTS, self._margins),
            (w.STATES, list(self._states.values())),
        )
        self._clear()
        return [(statement, rows) for statement, rows in found if rows]

    # ---- one per kind; `at` is the start of the body -----------------------------------------

    def _config(self, data: bytes, at: int, seq: int, _ts: int, _cause: int) -> None:
        kind, _, index, size, _ = CONFIG.unpack_from(data, at)
        start = at + CONFIG.size
        text = data[start : start + size].decode()
        body = json.loads(text)
        if kind == _INSTRUMENT:
            digits = self._digits[index] = body["digits"]
            self._instruments[index] = (self.shard, index, body["symbol"], digits, text, seq)
        elif kind == _GROUP:
            self._groups[index] = (self.shard, index, body["name"], text, seq)
        elif kind == _CURRENCY:
            self._currencies[index] = (self.shard, index, body["code"], text, seq)

    def _account(self, data: bytes, at: int, _seq: int, _ts: int, _cause: int) -> None:
        account, group, leverage, flags, currency, opened = ACCOUNT.unpack_from(data, at)
        row = (account, self.shard, group, leverage, flags, currency, opened)
        self._accounts[account] = row

    def _ledger(self, data: bytes, at: int, seq: int, ts: int, cause: int) -> None:
        account, reference, b_low, b_high, c_low, c_high, first_leg, count = LEDGER.unpack_from(
            data, at
        )
        balance, credit = b_low + b_high * _HALF, c_low + c_high * _HALF
        self._balances[account] = (str(balance), str(credit), account)
        shard, sums, at = self.shard, self._sums, at + LEDGER.size
        cash = [balance, credit]
        rows: list[w.Row] = []
        # Backwards, because balance and credit are those after the last leg.
        for leg in range(count - 1, -1, -1):
            ledger, sub, reason, currency, low, high = LEG.unpack_from(data, at + leg * LEG.size)
            amount = low + high * _HALF
            after, text = None, str(amount)
            if ledger == _CASH:
                after = str(cash[sub])
                if reason in _OUT_OF_TRADING:
                    now = (str(cash[0]), str(cash[1]))
                    self._operations.append(
                        (shard, seq, ts, account, reason, text, *now, reference)
                    )
                cash[sub] -= amount
            number = first_leg + leg
            key = (account, ledger, sub, currency)
            rows.append((shard, cause, number, seq, ts, *key, reason, text, after, reference))
            sum_ = sums.get(key)
            if sum_ is None:
                sum_ = sums[key] = [0, 0]
            if amount > 0:
                sum_[1] += amount
            else:
                sum_[0] -= amount
        rows.reverse()
        self._transfers += rows

    def _ledger_rows(self) -> list[w.Row]:
        """What customers' legs add to their accounts, and the mirror of it to the house's."""
        rows: list[w.Row] = []
        house: dict[tuple[int, int], list[int]] = {}
        for (account, ledger, sub, currency), (debited, credited) in self._sums.items():
            rows.append((self.shard, account, ledger, sub, currency, str(debited), str(credited)))
            sum_ = house.setdefault((ledger, currency), [0, 0])
            sum_[0] += credited
            sum_[1] += debited
        for (ledger, currency), (debited, credited) in house.items():
            rows.append((self.shard, 0, ledger, 0, currency, str(debited), str(credited)))
        return rows

    def _order(self, data: bytes, at: int, seq: int, ts: int, _cause: int) -> None:
        order, account, instrument, side, kind, tif, state, reason, size, code, leverage, *more = (
            ORDER.unpack_from(data, at)
        )
        start = at + ORDER.size
        comment = data[start : start + size].decode() if size else ""
        before = self._orders.get(order)
        created = ts
        live = state in _LIVE
        if before is not None:
            created = before[_CREATED]  # type: ignore[assignment]
            if state == w.MODIFIED:
                state = before[_STATE]
        row: list[object] = [
            order,
            self.shard,
            account,
            instrument,
            self._digits[instrument],
            side,
            kind,
            tif,
            state,
            live,
            reason,
            code,
            leverage,
            *more,
            comment,
            created,
            ts,
            seq,
        ]
        self._orders[order] = row

    def _fill(self, data: bytes, at: int, seq: int, ts: int, _cause: int) -> None:
        (
            order,
            position,
            account,
            instrument,
            side,
            entry,
            reason,
            flags,
            volume,
            price,
            profit,
            profit_high,
            commission,
            commission_high,
            trade,
        ) = FILL.unpack_from(data, at)
        self._fills.append(
            (
                self.shard,
                seq,
                ts,
                order,
                position,
                account,
                instrument,
                self._digits[instrument],
                side,
                entry,
                reason,
                flags,
                volume,
                price,
                str(profit + profit_high * _HALF),
                str(commission + commission_high * _HALF),
                None if trade == _NO_TRADE else trade,
            )
        )

    def _position(self, data: bytes, at: int, seq: int, ts: int, _cause: int) -> None:
        (
            position,
            account,
            instrument,
            side,
            state,
            reason,
            flags,
            volume,
            price,
            cost,
            cost_high,
            sl,
            tp,
            trailing,
            margin,
            margin_high,
            swap,
            swap_high,
            order,
            opened,
            tag,
        ) = POSITION.unpack_from(data, at)
        self._positions[position] = (
            position,
            self.shard,
            account,
            instrument,
            self._digits[instrument],
            side,
            state,
            reason,
            flags,
            volume,
            price,
            str(cost + cost_high * _HALF),
            sl,
            tp,
            trailing,
            str(margin + margin_high * _HALF),
            str(swap + swap_high * _HALF),
            order,
            opened,
            tag,
            ts,
            ts if state == _CLOSED else None,
            seq,
        )

    def _margin(self, data: bytes, at: int, seq: int, ts: int, _cause: int) -> None:
        account, level, _, _, _, *wide = MARGIN.unpack_from(data, at)
        equity, margin = wide[0] + wide[1] * _HALF, wide[2] + wide[3] * _HALF
        self._levels[account] = (level, account)
        self._margins.append((self.shard, seq, ts, account, level, str(equity), str(margin)))

    def _state(self, data: bytes, at: int, seq: int, ts: int, _cause: int) -> None:
        target, scope, state, _, _ = STATE.unpack_from(data, at)
        self._states[scope, target] = (self.shard, scope, target, state, ts, seq)


_STATE: Final = w.ORDERS.columns.index("state")
_CREATED: Final = w.ORDERS.columns.index("created")
