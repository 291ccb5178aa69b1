"""Starting topologies from lists of entries, a user's or those of a name."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from netsurgery.networks.blocks import Parallel, Row
from netsurgery.networks.entries import Entry, defaults_of, flatten, row_of
from netsurgery.networks.input_rows import row_of_inputs
from netsurgery.networks.layers import Dense, InputPart, Other, Shape
from netsurgery.networks.presets import NAMED, START_OF_IMAGES, START_OF_ROWS, WITH_LOGITS
from netsurgery.networks.topology import Topology

__all__ = [
    "NAMED",
    "START_OF_IMAGES",
    "START_OF_ROWS",
    "WITH_LOGITS",
    "build",
    "named",
    "without_defaults",
]


def named(name: str) -> list[dict[str, Any]]:
    """A named topology as a list of entries, as users write it (see `build`)."""
    return [dict(entry) for entry in NAMED[name]]


def without_defaults(entries: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """A list of entries without settings that are as `build` has them by default."""
    found = []
    for entry in entries:
        ((name, settings),) = entry.items()
        defaults = defaults_of(name)
        kept = {k: v for k, v in settings.items() if k not in defaults or defaults[k] != v}
        if "branches" in kept:
            kept["branches"] = list(map(without_defaults, kept["branches"]))
        if "rows" in kept:
            kept["rows"] = {of: without_defaults(row) for of, row in kept["rows"].items()}
        found.append({name: kept})
    return found


def build(
    entries: Sequence[Entry],
    input_shape: Shape,
    outputs: int,
    output_activation: str = "softmax",
    front: Row = (),
    inputs: Sequence[InputPart] = (),
) -> Topology:
    """A complete topology: the entries, a flatten layer where needed, and the output layer.

    Args:
        entries: one mapping each, from the name of an entry to its settings, such as
            `{"conv_cell": {"channels": 8}}` (see `netsurgery.networks.entries`).
        input_shape: (height, width, channels) of an image, (steps, channels) of a series or
            (features,) of a table row. Of several inputs, the number of their numbers.
        outputs: units of the output layer.
        output_activation: activation of the output layer.
        front: layers before all entries, such as those of `netsurgery.keras_io.embedding`.
        inputs: of samples that have several.

    Raises:
        ValueError: an entry does not accept what enters it; the message numbers it from 1.
    """
    if math.prod(input_shape) < 1:
        raise ValueError(f"the input shape {input_shape} is empty")
    if inputs:
        row = row_of_inputs(entries, inputs)
    else:
        row = (*front, *row_of(entries, Topology(input_shape, front).output_shape))
    head = flatten(Topology(input_shape, row).output_shape)
    output = Dense(outputs, activation=output_activation)
    return Topology(input_shape, (*row, *head, output))


def front_of(topology: Topology) -> Row:
    """The layers in front of a network that look codes up; none if its input has no codes."""
    first = topology.row[0]
    if isinstance(first, Parallel) and any(map(_looks_up, sum(first.branches, ()))):
        return topology.row[:1]
    return topology.row[:2] if _looks_up(first) else ()


def _looks_up(layer: object) -> bool:
    return isinstance(layer, Other) and layer.name == "Embedding"
