"""The answer to one command: what it came to, and every event it caused."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from decimal import Decimal
from functools import cached_property

from tradeloom.domain import events as e
from tradeloom.domain.enums import ReturnCode
from tradeloom.domain.errors import Refused, Rejected, explain


@dataclasses.dataclass(frozen=True, kw_only=True)
class Answer:
    """What became of a command.

    `code` and `field` (empty: the command as a whole) say how it went; `reference` is the order,
    position or count it made. `refused`: it left no trace. `repeat`: the id was known, so this is
    the first answer again. `detail` replaces the general wording of `message`.
    """

    code: ReturnCode
    field: str = ""
    reference: int = 0
    refused: bool = False
    repeat: bool = False
    detail: str = ""
    _history: Callable[[], Iterable[e.AnyEvent]] = dataclasses.field(
        default=tuple, repr=False, compare=False
    )

    @cached_property
    def events(self) -> tuple[e.AnyEvent, ...]:
        """Everything the command caused, in order; made into values when it is first asked for."""
        return tuple(self._history())

    @property
    def ok(self) -> bool:
        """True if it was done, or is on its way to a venue."""
        return self.code.good

    @property
    def message(self) -> str:
        """One line: what, where, and what to do."""
        return self.detail or explain(self.code, self.field)

    @property
    def position(self) -> int:
        """Id of the first position the command opened or changed; 0 when there is none."""
        return next((x.position for x in self.events if isinstance(x, e.PositionUpdated)), 0)

    @property
    def price(self) -> Decimal | None:
        """Price of the first fill."""
        return next((x.price for x in self.events if isinstance(x, e.Fill)), None)

    def checked(self) -> Answer:
        """This answer if it is good; raises `Refused` or `Rejected` if not."""
        if self.ok:
            return self
        kind = Refused if self.refused else Rejected
        raise kind(self.code, self.field, self.message)


def refusal(error: Refused) -> Answer:
    """The answer to a command that was refused before it reached the core."""
    return Answer(code=error.code, field=error.field, refused=True, detail=str(error))


def answer(result: e.Result | None, history: Callable[[], Iterable[e.AnyEvent]]) -> Answer:
    """The answer in a RESULT; a quote that was taken has none of its own."""
    if result is None:
        return Answer(code=ReturnCode.OK, _history=history)
    return Answer(
        code=result.code,
        field=result.field,
        reference=result.reference,
        refused=result.refused,
        repeat=result.repeat,
        _history=history if result.seq else tuple,
    )
