"""The layers in front of a network that turn codes into trained vectors."""

from __future__ import annotations

from collections.abc import Sequence

import keras

from netsurgery.keras_io import kept_layers
from netsurgery.networks.blocks import Parallel, Row
from netsurgery.networks.layers import Cropping, Flatten, Reshape

UNITS = 8  # of the vector of a code
SHARE = 2  # part of the parameters that the table may have at most: one half


def units_for(counts: Sequence[int], max_parameters: int | None) -> int:
    """The units of each vector: as many as the limit leaves room for."""
    if max_parameters is None:
        return UNITS
    return min(UNITS, max(1, max_parameters // SHARE // sum(counts)))


def embedding_front(inputs: int, counts: Sequence[int], max_parameters: int | None = None) -> Row:
    """Layers that replace the codes at the end of a row by vectors; none if there are no codes.

    Surgery keeps the table of vectors as it is. Its other values pass by.

    Args:
        inputs: values of a row.
        counts: codes of each column of codes; their sum is the rows of the table.
        max_parameters: of the network; None: no limit.
    """
    if not counts:
        return ()
    units, columns = units_for(counts, max_parameters), len(counts)
    layer = keras.layers.Embedding(sum(counts), units, name="embedding")
    layer.build((None, columns))
    embedding = (kept_layers.from_keras(layer, (columns,), leaving=(columns, units)), Flatten())
    if columns == inputs:
        return embedding

    def part(before: int, after: int) -> Row:
        return (Reshape((inputs, 1)), Cropping(((before, after),)), Flatten())

    others = inputs - columns
    return (Parallel((part(0, columns), (*part(others, 0), *embedding)), "concatenate"),)
