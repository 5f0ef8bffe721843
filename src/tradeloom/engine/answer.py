"""The answer to one command: what it came to, and every event it caused."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from tradeloom.domain import events as e
from tradeloom.domain.enums import ReturnCode
from tradeloom.domain.errors import Refused, Rejected, explain


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a command.

    `code` and `field` (empty: the command as a whole) say how it went; `reference` is the order,
    position or count it made; `events` are its history, empty when it was refused. `refused`: it
    left no trace. `repeat`: the id was known, so this is the first answer again.
    """

    code: ReturnCode
    field: str = ""
    reference: int = 0
    refused: bool = False
    repeat: bool = False
    detail: str = ""
    events: tuple[e.AnyEvent, ...] = ()

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


def answer(events: tuple[e.AnyEvent, ...]) -> Answer:
    """The answer in the events of one input; a quote that was taken has no RESULT of its own."""
    for event in reversed(events):
        if isinstance(event, e.Result):
            return Answer(
                code=event.code,
                field=event.field,
                reference=event.reference,
                refused=event.refused,
                repeat=event.repeat,
                events=events if event.seq else (),
            )
    return Answer(code=ReturnCode.OK, events=events)
