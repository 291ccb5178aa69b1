"""Tables of results: the same cells as Markdown, CSV and HTML."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas

from netsurgery.storage.files import write_text

ABSENT = "missing"
# number formats of columns; all others have one decimal
INTEGERS = (
    "parameters",
    "paper parameters",
    "to CNN",
    "to FFNN",
    "paper to CNN",
    "paper to FFNN",
    "pairs",
    "candidates",
)
SIGNED = ("95 % from", "95 % to", "parameters %", "paper parameters %")
TWO_DECIMALS = ("parameters / paper", "training minutes")


@dataclass(frozen=True)
class Table:
    """A table with its title and caption."""

    name: str  # of its files
    title: str
    caption: str
    frame: pandas.DataFrame

    @property
    def cells(self) -> tuple[list[str], list[list[str]], list[bool]]:
        """Column names, rows, and which columns are numeric."""
        names = [n for n in self.frame.columns if not n.endswith(" sd") and n != "sd"]
        # leave out empty columns of the paper
        names = [n for n in names if not (_is_of_paper(n) and self.frame[n].isna().all())]
        rows = []
        for row in self.frame.to_dict("records"):
            missing = str(row.get("runs", "1")).startswith("0")
            rows.append([_cell(name, row, missing) for name in names])
        is_numeric = pandas.api.types.is_numeric_dtype
        numeric = [name == "runs" or is_numeric(self.frame[name]) for name in names]  # "2 of 3"
        return names, rows, numeric


def _is_of_paper(name: str) -> bool:
    return name.startswith(("paper", "difference")) or name.endswith("/ paper")


def _cell(name: str, row: dict[str, Any], missing: bool) -> str:
    value = row[name]
    if isinstance(value, str):
        return value
    if value is None or not math.isfinite(value):
        return ABSENT if missing and not _is_of_paper(name) else "–"  # noqa: RUF001 - an en dash
    text = _number(name, value)
    spread = row.get({"accuracy": "sd", "paper": "paper sd"}.get(name, f"{name} sd"), math.nan)
    if name == "parameters %":
        spread = row.get("parameters sd", math.nan)
    return text if spread is None or spread != spread else f"{text} ± {spread:.1f}"


def _number(name: str, value: float) -> str:
    signed = name in SIGNED or name.startswith("difference")
    number_format = (
        ",.0f"
        if name in INTEGERS
        else ".2f"
        if name in TWO_DECIMALS
        else "+.1f"
        if signed
        else ".1f"
    )
    return f"{value:{number_format}}".replace("-", "\N{MINUS SIGN}")


def markdown(table: Table) -> str:
    """A table in Markdown below its title and caption."""
    names, rows, numeric = table.cells
    lines = [names, ["---:" if is_numeric else "---" for is_numeric in numeric], *rows]
    body = "".join(f"| {' | '.join(line)} |\n" for line in lines)
    return f"**{table.title}.** {table.caption}\n\n{body}"


def html_table(table: Table) -> str:
    """A table as HTML."""
    names, rows, numeric = table.cells
    kinds = ["number" if is_numeric else "text" for is_numeric in numeric]

    def line(tag: str, cells: Sequence[str]) -> str:
        classes = [k + " absent" * (c == ABSENT) for k, c in zip(kinds, cells, strict=True)]
        return "".join(
            f'<{tag} class="{kind}">{html.escape(cell)}</{tag}>'
            for kind, cell in zip(classes, cells, strict=True)
        )

    body = "\n".join(f"<tr>{line('td', row)}</tr>" for row in rows)
    caption = f"<b>{html.escape(table.title)}.</b> {html.escape(table.caption)}"
    return (
        f"<table><caption>{caption}</caption>\n"
        f"<thead><tr>{line('th', names)}</tr></thead>\n<tbody>\n{body}\n</tbody></table>"
    )


def write_tables(tables: Sequence[Table], folder: Path, heading: str) -> None:
    """Write tables as CSV and Markdown, and all of them to one Markdown file.

    Args:
        tables: to write.
        folder: for the files.
        heading: first line of that file.
    """
    for table in tables:
        text = table.frame.round(6).to_csv(index=False, lineterminator="\n")
        write_text(folder / f"{table.name}.csv", text)
        write_text(folder / f"{table.name}.md", markdown(table))
    write_text(folder / "tables.md", "\n".join([f"{heading}\n", *map(markdown, tables)]))
