"""Starting topologies by name, as lists of entries."""

from __future__ import annotations

from collections.abc import Sequence

from netsurgery.networks.entries import Entry


def _of_paper(channels: Sequence[int], units: Sequence[int]) -> list[Entry]:
    """A topology of the papers, by the channels of its conv cells and the units behind them."""
    cells: list[Entry] = [{"conv_cell": {"channels": each}} for each in channels]
    return [*cells, *({"dense": {"units": each}} for each in units)]


# ECToNAS table 6, Surgeon table 2
OF_PAPERS: dict[str, list[Entry]] = {
    "ff-small": _of_paper((), (10,)),
    "ff-medium": _of_paper((), (10, 10)),
    "ff-large": _of_paper((), (100, 50, 10)),
    "cnn-small": _of_paper((3, 6, 9), (10,)),
    "cnn-medium": _of_paper((3, 6), (10, 10)),
    "cnn-large": _of_paper((3,), (100, 50, 10)),
    "surgeon-small": _of_paper((), (10,)),
    "surgeon-medium": _of_paper((), (10, 10, 10)),
    "surgeon-large": _of_paper((), (300, 100, 100)),
}
# these have no activation in the output layer
WITH_LOGITS = ("surgeon-small", "surgeon-medium", "surgeon-large")

PRESETS: dict[str, list[Entry]] = {
    "cnn-tiny": [
        {"conv_cell": {"channels": 8, "pooling": "max"}},
        {"conv_cell": {"channels": 16, "pooling": "max"}},
        {"conv_cell": {"channels": 16, "pooling": "none"}},
        {"global_average": {}},
    ],
    "resnet-tiny": [
        {"conv_cell": {"channels": 16, "pooling": "none"}},
        {"residual": {"channels": 16}},
        {"residual": {"channels": 32, "stride": 2}},
        {"residual": {"channels": 64, "stride": 2}},
        {"global_average": {}},
    ],
    "mobile-tiny": [
        {"conv_cell": {"channels": 16, "pooling": "none"}},
        {"conv_cell": {"channels": 32, "separable": True, "pooling": "none"}},
        {"conv_cell": {"channels": 64, "separable": True, "stride": 2, "pooling": "none"}},
        {"conv_cell": {"channels": 64, "separable": True, "pooling": "none"}},
        {"conv_cell": {"channels": 128, "separable": True, "stride": 2, "pooling": "none"}},
        {"global_average": {}},
    ],
    "cnn1d-small": [
        {"conv_cell": {"channels": 8, "kernel": 7, "pooling": "max"}},
        {"conv_cell": {"channels": 16, "kernel": 5, "pooling": "max"}},
        {"conv_cell": {"channels": 32, "pooling": "max"}},
        {"global_average": {}},
    ],
    "resnet1d-tiny": [
        {"conv_cell": {"channels": 16, "kernel": 7, "pooling": "none"}},
        {"residual": {"channels": 16, "kernel": 5}},
        {"residual": {"channels": 32, "kernel": 5, "stride": 2}},
        {"residual": {"channels": 64, "stride": 2}},
        {"global_average": {}},
    ],
    "mlp-residual": [
        {"dense": {"units": 64}},
        {"residual_dense": {"units": 64, "repeats": 2}},
    ],
}
NAMED = OF_PAPERS | PRESETS

START_OF_IMAGES, START_OF_ROWS = "cnn-tiny", "ff-small"  # of a search that names none
