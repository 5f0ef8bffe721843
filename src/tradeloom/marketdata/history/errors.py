"""What can be wrong with a catalog or with what is written to it."""

from __future__ import annotations

from pathlib import Path


class CatalogError(Exception):
    """A catalog cannot be used as asked: says where, what, and what to do about it."""

    def __init__(self, where: Path | str, problem: str, advice: str) -> None:
        self.where = where
        self.problem = problem
        self.advice = advice
        super().__init__(f"{where}: {problem}; {advice}")
