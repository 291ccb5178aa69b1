"""How plots look: colours, the style sheet, and a colour and marker for each operation."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple, ParamSpec, TypeVar

from matplotlib import style

from netsurgery.networks.layers import Layer
from netsurgery.search.arbor.shapes import SCALED
from netsurgery.search.arbor.templates import TEMPLATES
from netsurgery.surgery import Operation, operations

P = ParamSpec("P")
R = TypeVar("R")

# Okabe and Ito's palette, which is safe for colour-blind readers
ORANGE, SKY, GREEN, YELLOW, PURPLE = "#E69F00", "#56B4E9", "#009E73", "#F0E442", "#CC79A7"
BLUE, VERMILLION, BLACK, WHITE = "#0072B2", "#D55E00", "#000000", "#FFFFFF"
DARK, GREY, PALE = "#444444", "#777777", "#BBBBBB"


class OperationStyle(NamedTuple):
    """How plots name and draw an operation: by colour what changes, by shape add or remove."""

    label: str
    colour: str
    marker: str


# the colour and the marker of each operation
COLOURS_AND_MARKERS: dict[Operation, tuple[str, str]] = {
    operations.IDENTITY: (WHITE, "o"),
    operations.ADD_DENSE: (ORANGE, "^"),
    operations.REMOVE_DENSE: (ORANGE, "v"),
    operations.ADD_UNITS: (PURPLE, "^"),
    operations.REMOVE_UNITS: (PURPLE, "v"),
    operations.ADD_CONV_CELL: (GREEN, "^"),
    operations.REMOVE_CONV_CELL: (GREEN, "v"),
    operations.ADD_CHANNELS: (SKY, "^"),
    operations.REMOVE_CHANNELS: (SKY, "v"),
    operations.TRUNCATE: (YELLOW, "D"),
    operations.ADD_RESIDUAL_BLOCK: (BLUE, "^"),
    operations.ADD_BOTTLENECK_BLOCK: (BLUE, ">"),
    operations.REMOVE_BLOCK: (BLUE, "v"),
    operations.REMOVE_BRANCH: (BLUE, "<"),
    operations.ADD_CELL: (VERMILLION, "^"),
    operations.MAKE_RESIDUAL: (BLUE, "P"),
    operations.MAKE_PLAIN: (BLUE, "X"),
    operations.GROW_KERNEL: (VERMILLION, "^"),
    operations.SHRINK_KERNEL: (VERMILLION, "v"),
    operations.FLATTEN_TO_GLOBAL_POOLING: (GREY, "v"),
    operations.GLOBAL_POOLING_TO_FLATTEN: (GREY, "^"),
    operations.ADD_DROPOUT: (PALE, "^"),
    operations.REMOVE_DROPOUT: (PALE, "v"),
    operations.ADD_GATE: (YELLOW, "^"),
    operations.REMOVE_GATE: (YELLOW, "v"),
    operations.MERGE_CONVOLUTIONS: (SKY, "D"),
    operations.MERGE_NORMALIZATION: (GREEN, "D"),
    operations.SEPARATE: (SKY, "<"),
    operations.JOIN_SEPARABLE: (SKY, ">"),
}
OPERATION_STYLES = {
    "": OperationStyle("initial network", DARK, "s"),
    # networks that train from fresh weights
    **{
        template.name: OperationStyle(template.name.replace("_", " "), GREY, marker)
        for template, marker in zip(TEMPLATES, "sDp", strict=True)
    },
    SCALED: OperationStyle("scaled", BLUE, "s"),
    **{
        operation.name: OperationStyle(operation.label, colour, marker)
        for operation, (colour, marker) in COLOURS_AND_MARKERS.items()
    },
}
LAYER_COLOURS = {"conv": SKY, "dense": ORANGE}  # by the word that the kind of layer contains
STYLE: dict[str, Any] = {
    "svg.hashsalt": "netsurgery",  # otherwise the ids in the file are random
    "svg.fonttype": "none",  # text stays text: a third of the size, and searchable
    "font.sans-serif": ["DejaVu Sans", "Verdana"],  # of equal widths
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.axisbelow": True,
    "grid.color": "#E6E6E6",
    "legend.frameon": False,
    "legend.fontsize": 9,
    "savefig.dpi": 150,
}


def styled(draw: Callable[P, R]) -> Callable[P, R]:
    """Draw in this module's style, regardless of the user's matplotlib settings."""

    @functools.wraps(draw)
    def inner(*args: P.args, **kwargs: P.kwargs) -> R:
        with style.context(["default", STYLE]):
            return draw(*args, **kwargs)

    return inner


def layer_colour(layer: Layer) -> str:
    """The colour of a layer: convolutions of all kinds have one, and layers without a kernel."""
    return next((c for word, c in LAYER_COLOURS.items() if word in layer.kind), PALE)


def operation_style(operation: str | None) -> OperationStyle:
    """The style of an operation; an unknown one keeps its own name."""
    name = operation or ""
    return OPERATION_STYLES.get(name, OperationStyle(name.replace("_", " "), YELLOW, "D"))
