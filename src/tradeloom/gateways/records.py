"""What is read from the store: history that the engine no longer holds."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from tradeloom.domain.enums import OrderState
from tradeloom.gateways.desk import Reply
from tradeloom.gateways.limits import ANSWER_S, STATEMENT_ROWS_MAX
from tradeloom.gateways.wire import number, rfc3339
from tradeloom.store import Database, ProjectionWriter
from tradeloom.store.history import History
from tradeloom.store.ledger import LedgerBook

COLUMNS: Final = ("time", "id", "reason", "amount", "balance", "currency", "kind", "reference")


@dataclass(slots=True)
class Records:
    """Reads of the stored history of one shard."""

    database: Database
    writer: ProjectionWriter
    history: History
    ledger: LedgerBook

    async def order_again(self, made: Reply, account: int) -> dict[str, Any]:
        """What became of an order placed before: the first answer to its key again."""
        order = await self.history.order(made.reference)
        if order is None:  # stored in a moment: the first answer came milliseconds ago
            await self.writer.reached(self._newest(), ANSWER_S / 2)
            order = await self.history.order(made.reference)
        fills = (await self.history.fills(account, order=made.reference)).items
        filled = sum((fill.volume for fill in fills), Decimal(0))
        value = sum((fill.volume * fill.price for fill in fills), Decimal(0))
        price = None
        if filled:
            digits = int(fills[0].price.as_tuple().exponent)
            price = number((value / filled).quantize(Decimal(1).scaleb(digits)))
        state = order.state if order else OrderState.WORKING
        return {
            "order": made.reference,
            "account": account,
            "code": int(made.code),
            "name": made.code.name,
            "state": state.name.lower(),
            "volume": number(order.volume) if order else "0",
            "filled": number(filled),
            "price": price,
            "position": fills[0].position if fills else None,
            "repeat": True,
            "time": rfc3339(order.created if order else made.ts),
            "seq": fills[-1].id if fills else 0,
        }

    async def statement(self, account: int, since: int, until: int) -> AsyncIterator[bytes]:
        """Every movement of cash and credit as CSV, a piece at a time."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\r\n")
        writer.writerow(COLUMNS)
        rows = 0
        async for row in self.ledger.statement(account, since, until):
            writer.writerow(
                (
                    rfc3339(row.ts),
                    f"{row.shard}-{row.input_seq}-{row.leg}",
                    row.reason.name.lower(),
                    number(row.amount),
                    "" if row.after is None else number(row.after),
                    row.currency,
                    "credit" if row.sub else "cash",
                    row.reference or "",
                )
            )
            rows += 1
            if out.tell() > 1 << 16:
                yield out.getvalue().encode()
                out.seek(0)
                out.truncate()
            if rows >= STATEMENT_ROWS_MAX:
                break
        yield out.getvalue().encode()

    def _newest(self) -> int:
        return self.writer.progress.last_seq + 1
