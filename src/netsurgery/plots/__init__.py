"""Pictures of a finished search, and the table over all of them: what the report shows.

A picture is a pure function of records or lineage rows and the summary; `write` makes the files.
Canvases have fixed inches with margins measured from the text, so nothing is cut off, and the same
arguments give the same bytes. Only this package imports matplotlib, which takes a while.
"""

from __future__ import annotations

from pathlib import Path

from matplotlib.figure import Figure

from netsurgery.plots.epochs import accuracy, size
from netsurgery.plots.singular_values import singular_values
from netsurgery.plots.slots import slots
from netsurgery.plots.style import styled
from netsurgery.plots.table import summarise
from netsurgery.plots.tree import family_tree, read_lineage
from netsurgery.search.layout import SearchFolder
from netsurgery.storage.files import atomic_path, read_json, write_checksums

__all__ = [
    "accuracy",
    "family_tree",
    "save",
    "singular_values",
    "size",
    "slots",
    "summarise",
    "write",
]


@styled
def save(figure: Figure, path: Path) -> None:
    """Write a figure, whole or not at all; as an SVG always the same bytes."""
    kind = path.suffix.removeprefix(".")
    with atomic_path(path) as temporary:
        figure.savefig(temporary, format=kind, metadata={"Date": None} if kind == "svg" else {})


def write(folder: SearchFolder, kind: str) -> None:
    """Write the pictures of a finished search.

    Args:
        folder: of the search and seed.
        kind: svg or png.
    """
    search, records = folder.root.parent.name, folder.records()
    summary = read_json(folder.final / "summary.json")
    drawn = {
        "accuracy": accuracy(search, records, summary),
        "size": size(search, records, summary),
        "family_tree": family_tree(search, read_lineage(folder.lineage), summary),
    }
    pictures = {folder.root / "plots" / f"{name}.{kind}": figure for name, figure in drawn.items()}
    for path, figure in pictures.items():
        save(figure, path)
    write_checksums(folder.root / "plots" / "pictures.json", *pictures)
