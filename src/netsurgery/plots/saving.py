"""Write figures to files."""

from __future__ import annotations

from pathlib import Path

from matplotlib.figure import Figure

from netsurgery.analysis.lineage_table import read_lineage
from netsurgery.networks.topology import Topology
from netsurgery.plots.family_tree import plot_family_tree
from netsurgery.plots.front import plot_front
from netsurgery.plots.labels import search_title
from netsurgery.plots.structure import plot_structure
from netsurgery.plots.style import styled
from netsurgery.plots.training_curves import plot_accuracy, plot_size
from netsurgery.search.algorithms import algorithm_of
from netsurgery.search.layout import SearchFolder
from netsurgery.storage.dependencies import NO_DEPENDENCIES, Dependencies
from netsurgery.storage.files import CHECKSUMS, atomic_path, checksums, read_json


@styled
def save_figure(figure: Figure, path: Path) -> None:
    """Write a figure atomically; the same figure gives the same bytes of SVG."""
    suffix = path.suffix.removeprefix(".")
    with atomic_path(path) as temporary:
        figure.savefig(temporary, format=suffix, metadata={"Date": None} if suffix == "svg" else {})


def write_search_plots(
    folder: SearchFolder, suffix: str, dependencies: Dependencies = NO_DEPENDENCIES
) -> None:
    """Write the plots of a finished search.

    Args:
        folder: of the search and seed.
        suffix: svg or png.
        dependencies: what the plots depend on besides the summary and what is behind it.
    """
    search, records = folder.root.parent.name, folder.records()
    summary = read_json(folder.final / "summary.json")
    metric = summary["objective"]
    figures = {
        "accuracy": plot_accuracy(search, records, summary),
        "size": plot_size(search, records, summary),
        "front": plot_front(search, folder.front_table(algorithm_of(summary), metric), summary),
        "family_tree": plot_family_tree(search, read_lineage(folder.lineage), summary),
        "structure": plot_structure(
            f"{search_title(search, summary)}: {summary['candidate']}",
            Topology.from_json(folder.end().topology),
        ),
    }
    plots = folder.root / "plots"
    paths = {name: plots / f"{name}.{suffix}" for name in figures}
    for name, figure in figures.items():
        save_figure(figure, paths[name])
    path = plots / "checksums.json"
    known = dependencies.with_inputs([folder.final / "summary.json"])
    known.write(path, {CHECKSUMS: checksums(path, *paths.values())})
