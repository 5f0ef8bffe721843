"""Rows of a benchmark: printed as a table and written to build/bench/NAME.json."""

from __future__ import annotations

import json
from pathlib import Path

from rich.console import Console
from rich.table import Table

Row = dict[str, object]
OUTPUT = Path("build/bench")


def row(
    name: str,
    value: float,
    unit: str,
    *,
    at_least: float | None = None,
    at_most: float | None = None,
    baseline: str,
) -> Row:
    """One figure with its bound and the baseline measured in the same run."""
    bound = at_least if at_least is not None else at_most
    holds = (at_least is None or value >= at_least) and (at_most is None or value <= at_most)
    return {
        "name": name,
        "value": round(float(value), 3),
        "unit": unit,
        "bound": bound,
        "holds": bool(holds),
        "baseline": baseline,
    }


def write(name: str, rows: list[Row], folder: Path = OUTPUT) -> Path:
    """Prints the table and writes the JSON list; returns the file."""
    table = Table(title=name)
    for heading in ("figure", "measured", "unit", "bound", "holds", "baseline, same run"):
        table.add_column(heading, overflow="fold")
    for line in rows:
        value, bound = line["value"], line["bound"]
        assert isinstance(value, int | float)
        shown = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:,.3g}"
        limit = f"{bound:,.0f}" if isinstance(bound, int | float) else "-"
        holds = "yes" if line["holds"] else "NO"
        table.add_row(
            str(line["name"]), shown, str(line["unit"]), limit, holds, str(line["baseline"])
        )
    Console().print(table)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.json"
    path.write_text(json.dumps(rows, indent=1) + "\n")
    return path
