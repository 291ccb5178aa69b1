"""What the studies leave to be read: tables and pictures, made of the rows of their jobs."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from netsurgery.plots import save_figure
from netsurgery.reproduction.plots.fidelity import drops
from netsurgery.reproduction.plots.pooling_trials import trials
from netsurgery.reproduction.studies import tables
from netsurgery.storage.files import write_text

FORMATS = ("svg", "png")


def fidelity(rows: Iterable[Path], output: Path) -> None:
    """Write tables and picture of the fidelity study.

    Args:
        rows: what its jobs wrote.
        output: the table of all places; the others go beside it: `summary.csv`, `compared.md`,
            `recovered.md` and `drops` as SVG and PNG.
    """
    found = tables.gathered(rows)
    summary = tables.summary(found)
    whole = tables.with_drops(found)
    shown = [name for name in tables.OPERATIONS if name in set(whole["operation"])]
    networks = len(found[["dataset", "topology", "seed"]].drop_duplicates())
    figure = drops(whole, shown[1:] if shown[0] == "identity" else shown, networks)
    for kind in FORMATS:
        save_figure(figure, output.with_name(f"drops.{kind}"))
    tables.write(summary, output.with_name("summary.csv"))
    for name, table in (
        ("compared", tables.compared(summary)),
        ("recovered", tables.recovered(summary)),
    ):
        write_text(output.with_name(f"{name}.md"), tables.markdown(table))
    tables.write(found, output)


def pooling_trials(rows: Iterable[Path], output: Path) -> None:
    """Write tables and picture of the pooling trials.

    Args:
        rows: what its jobs wrote.
        output: the table of all seeds; the others go beside it: `summary.csv`, `table.md` and
            `trials` as SVG and PNG.
    """
    found = tables.gathered(rows)
    means = tables.pooling_means(found)
    figure = trials(means, ", ".join(dict.fromkeys(found["dataset"])))
    for kind in FORMATS:
        save_figure(figure, output.with_name(f"trials.{kind}"))
    tables.write(means, output.with_name("summary.csv"))
    write_text(output.with_name("table.md"), tables.pooling_markdown(means))
    tables.write(found, output)
