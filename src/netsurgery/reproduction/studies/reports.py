"""Write the tables and plots of the studies."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from netsurgery.plots import save_figure
from netsurgery.reproduction.plots.fidelity import plot_drops
from netsurgery.reproduction.plots.pooling_trials import plot_trials
from netsurgery.reproduction.studies import tables
from netsurgery.storage.files import write_text
from netsurgery.surgery.operations import IDENTITY

FORMATS = ("svg", "png")


def write_fidelity(rows: Iterable[Path], output: Path) -> None:
    """Write the tables and plot of the fidelity study.

    Args:
        rows: files of its jobs.
        output: the table of all positions; `summary.csv`, `compared.md`, `recovered.md` and `drops`
            as SVG and PNG are written to the same folder.
    """
    table = tables.read_rows(rows)
    summary = tables.summary(table)
    drops = tables.with_drops(table)
    operations = [name for name in tables.OPERATIONS if name in set(drops["operation"])]
    networks = len(table[["dataset", "topology", "seed"]].drop_duplicates())
    figure = plot_drops(
        drops, operations[1:] if operations[0] == IDENTITY.name else operations, networks
    )
    for kind in FORMATS:
        save_figure(figure, output.with_name(f"drops.{kind}"))
    tables.write_csv(summary, output.with_name("summary.csv"))
    for name, comparison in (
        ("compared", tables.compare_rules(summary)),
        ("recovered", tables.compare_recovery(summary)),
    ):
        write_text(output.with_name(f"{name}.md"), tables.markdown(comparison))
    tables.write_csv(table, output)


def write_pooling_trials(rows: Iterable[Path], output: Path) -> None:
    """Write the tables and plot of the pooling trials.

    Args:
        rows: files of its jobs.
        output: the table of all seeds; `summary.csv`, `table.md` and `trials` as SVG and PNG are
            written to the same folder.
    """
    table = tables.read_rows(rows)
    means = tables.pooling_means(table)
    figure = plot_trials(means, ", ".join(dict.fromkeys(table["dataset"])))
    for kind in FORMATS:
        save_figure(figure, output.with_name(f"trials.{kind}"))
    tables.write_csv(means, output.with_name("summary.csv"))
    write_text(output.with_name("table.md"), tables.pooling_markdown(means))
    tables.write_csv(table, output)
