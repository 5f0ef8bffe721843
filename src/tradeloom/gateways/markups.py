"""Prices as an account sees them: the raw quote made wider by the markup of its group."""

from __future__ import annotations

from tradeloom.domain.group import Group
from tradeloom.gateways.desk import Desk
from tradeloom.gateways.quotes import Quote


class Markups:
    """Finds markups; a change of the group or of its conditions counts from the next quote on."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._points: dict[str, tuple[Group, dict[str, int]]] = {}

    def group(self, account: int) -> Group | None:
        """The group an account is in, None for no such account."""
        row = self._desk.shard.read(lambda core: core.account(account))
        return None if row is None else self._desk.names.groups[row["group"]]

    def shown(self, quotes: list[Quote], account: int) -> list[Quote]:
        """The quotes at the prices the account would be filled at."""
        group = self.group(account)
        if group is None:
            return quotes
        special = self._special(group)
        if not special and not group.markup_points:
            return quotes
        made = []
        for quote in quotes:
            points = special.get(quote.symbol, group.markup_points)
            made.append(quote._replace(bid=max(quote.bid - points, 1), ask=quote.ask + points))
        return made

    def _special(self, group: Group) -> dict[str, int]:
        known = self._points.get(group.name)
        if known is None or known[0] is not group:
            points = {
                each.symbol: each.markup_points
                for each in group.overrides
                if each.markup_points is not None
            }
            known = self._points[group.name] = (group, points)
        return known[1]
