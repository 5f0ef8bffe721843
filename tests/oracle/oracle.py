"""The oracle itself: one input after another, every account looked at after each of them."""

from __future__ import annotations

from collections.abc import Callable

from tests.oracle import accounts, closing, rollover, routed, trading
from tests.oracle.admission import (
    check_account,
    check_record,
    check_referents,
    check_values,
    parse_definition,
)
from tests.oracle.codes import At, Code, RefusedError, ReportKind
from tests.oracle.digest import digest, rows
from tests.oracle.invariants import check
from tests.oracle.liquidation import evaluate, on_quote
from tests.oracle.orders import expire_due
from tests.oracle.state import State
from tests.oracle.trading import Answer, field
from tests.oracle.wire import (
    FIRST_COMMAND,
    KIND_OF,
    EventRecord,
    InputRecord,
    body_of,
    decode_inputs,
)

REFUSED, REPEAT = 1, 2
REMEMBERED_MAX = 2**20
Remembered = tuple[int, bytes, tuple[int, int, int]]
Handler = Callable[[State, InputRecord], Answer]
HANDLERS: dict[int, Handler] = {
    KIND_OF["OpenAccount"]: accounts.open_account,
    KIND_OF["UpdateAccount"]: accounts.update_account,
    KIND_OF["CloseAccount"]: accounts.close_account,
    KIND_OF["Balance"]: accounts.balance,
    KIND_OF["PlaceOrder"]: trading.place_order,
    KIND_OF["ModifyOrder"]: trading.modify_order,
    KIND_OF["CancelOrder"]: trading.cancel_order,
    KIND_OF["CancelAll"]: trading.cancel_all,
    KIND_OF["ClosePosition"]: closing.close_one,
    KIND_OF["CloseBy"]: closing.close_by,
    KIND_OF["CloseAll"]: closing.close_all,
    KIND_OF["Reverse"]: closing.reverse,
    KIND_OF["ModifyPosition"]: trading.modify_position,
    KIND_OF["SetTradingState"]: accounts.set_trading_state,
    KIND_OF["Rollover"]: rollover.rollover,
    KIND_OF["Funding"]: rollover.funding,
    KIND_OF["Report"]: routed.report,
}
OF_ACCOUNT = range(20, 45)


class Oracle:
    """Applies inputs and answers with events, exactly as the rules say."""

    def __init__(self, shard: int = 0) -> None:
        self.state = State(shard=shard)
        self.memory: dict[tuple[int, bytes], Remembered] = {}

    def apply(self, records: list[InputRecord]) -> list[EventRecord]:
        """The events of a batch of well-formed records."""
        for index, record in enumerate(records):
            self._one(index, record)
        return self._taken()

    def apply_bytes(self, batch: bytes) -> list[EventRecord]:
        """The events of a batch of bytes, malformed ones too."""
        for index, record in enumerate(decode_inputs(batch)):
            if isinstance(record, RefusedError):
                answer = (int(record.code), int(record.at), 0)
                self._result(index, None, answer, flags=REFUSED, history=False)
            else:
                self._one(index, record)
        return self._taken()

    def digest(self) -> bytes:
        """The state hash."""
        return digest(self.state)

    def rows(self) -> list[tuple[str, list[int]]]:
        """The rows of the state hash, to find where two states differ."""
        return rows(self.state)

    def check(self) -> None:
        """The invariants."""
        check(self.state)

    # ---- one input ---------------------------------------------------------------------------

    def _taken(self) -> list[EventRecord]:
        events, self.state.events = self.state.events, []
        return events

    def _one(self, index: int, record: InputRecord) -> None:
        state = self.state
        try:
            first = self._admit(record)
            made = None
            if first is None:
                check_account(state, record)
                check_referents(state, record)
                first = self._repeated_trade(record)
            if first is None:
                made = parse_definition(state, record)
                check_values(state, record)
        except RefusedError as refused:
            answer = (int(refused.code), int(refused.at), 0)
            bad = refused.code in (Code.BAD_RECORD, Code.UNKNOWN_KIND)
            self._result(index, None if bad else record, answer, flags=REFUSED, history=False)
            return
        if first is not None:
            self._result(index, record, first, flags=REPEAT, history=False)
            return
        state.input_seq += 1
        state.time = record.ts
        state.legs_posted = 0
        expire_due(state)
        if record.kind < FIRST_COMMAND:
            if record.kind == KIND_OF["Quote"]:
                instrument = state.instruments[field(record, "instrument")]
                on_quote(state, instrument, field(record, "bid"), field(record, "ask"))
            evaluate(state)
            return
        try:
            if made is not None:
                code, reference = accounts.define(state, record, made)
            else:
                code, reference = HANDLERS[record.kind](state, record)
            answer = (int(code), int(At.NONE), reference)
            if record.kind in OF_ACCOUNT:
                state.touched.add(record.account)
        except RefusedError as rejected:
            answer = (int(rejected.code), int(rejected.at), 0)
        evaluate(state)
        self._result(index, record, answer)
        self._remember(record, answer)

    def _admit(self, record: InputRecord) -> tuple[int, int, int] | None:
        check_record(record)
        if record.ts < self.state.time or not 0 < record.ts < 2**62:
            raise RefusedError(Code.TIME_BACKWARDS, At.TS)
        if record.kind < FIRST_COMMAND or not record.id:
            return None
        found = self.memory.get((record.account, record.id))
        if found is None:
            return None
        kind, body, answer = found
        if (kind, body) != (record.kind, body_of(record)):
            raise RefusedError(Code.DUPLICATE_ID, At.ID)
        return answer

    def _repeated_trade(self, record: InputRecord) -> tuple[int, int, int] | None:
        if record.kind != KIND_OF["Report"] or record.fields["kind"] != ReportKind.FILL:
            return None
        order, trade = field(record, "order"), record.fields["trade"]
        assert isinstance(trade, bytes)
        if (order, trade) not in self.state.trades:
            return None
        return int(Code.OK), int(At.NONE), order

    def _remember(self, record: InputRecord, answer: tuple[int, int, int]) -> None:
        if not record.id:
            return
        self.memory[record.account, record.id] = (record.kind, body_of(record), answer)
        if len(self.memory) > REMEMBERED_MAX:
            del self.memory[next(iter(self.memory))]

    def _result(
        self,
        index: int,
        record: InputRecord | None,
        answer: tuple[int, int, int],
        *,
        flags: int = 0,
        history: bool = True,
    ) -> None:
        command = record is not None and record.kind >= FIRST_COMMAND
        code, at, reference = answer
        self.state.emit(
            "Result",
            {
                "index": index,
                "code": code,
                "field": at,
                "account": record.account if command and record else 0,
                "reference": reference,
                "id": (record.id if command and record else b"").ljust(32, b"\0"),
            },
            flags=flags,
            history=history,
        )
        self.state.counts[f"result {Code(code).name}"] += 1
