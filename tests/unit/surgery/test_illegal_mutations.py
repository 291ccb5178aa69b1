"""Errors of illegal mutations: all reasons, and the legal positions."""

from __future__ import annotations

import pytest

from netsurgery.networks.layers import (
    Activation,
    BatchNorm,
    Conv,
    Dense,
    Flatten,
    GlobalPool,
    Layer,
    Other,
    Pool,
    Reshape,
    Shape,
    conv_cell,
)
from netsurgery.networks.topology import Topology
from netsurgery.surgery import IllegalMutation, Mutation, mutate_topology, operations

IMAGE = (8, 8, 2)
ADD_CELL, REMOVE_CELL = operations.ADD_CONV_CELL, operations.REMOVE_CONV_CELL
ADD_CHANNELS, REMOVE_CHANNELS = operations.ADD_CHANNELS, operations.REMOVE_CHANNELS
ADD_DENSE, REMOVE_DENSE = operations.ADD_DENSE, operations.REMOVE_DENSE
ADD_UNITS, REMOVE_UNITS = operations.ADD_UNITS, operations.REMOVE_UNITS
TRUNCATE = operations.TRUNCATE

NORMED = Other("LayerNormalization", "{}", (5,), (5,), ((5,), (5,)), 2)
NORMED_INPUT = Other("LayerNormalization", "{}", (6,), (6,), ((6,), (6,)), 2)
IMAGE_NORMED = Other("GroupNormalization", "{}", (8, 8, 4), (8, 8, 4), ((4,), (4,)), 2)
EMBEDDED = Other("Embedding", "{}", (6,), (6, 4), ((9, 4),), 1, is_image=False)

Row = tuple[Shape, list[Layer]]
DENSE: Row = ((6,), [Dense(5), Dense(4), Dense(3)])
CNN: Row = (IMAGE, [*conv_cell(4), *conv_cell(5), Flatten(), Dense(6), Dense(3)])
BARE: Row = (IMAGE, [Conv(4), Activation(), Flatten(), Dense(6), Dense(3)])

REASONS: list[tuple[Row, Mutation, str, str]] = [
    # places
    (DENSE, Mutation(ADD_UNITS), "it needs a position", "legal at 0, 1"),
    (DENSE, Mutation(ADD_UNITS, 3), "there is no such layer, the last one is 2", "legal at 0, 1"),
    (DENSE, Mutation(ADD_UNITS, -1), "there is no such layer, the last one is 2", "legal at 0, 1"),
    (DENSE, Mutation(operations.IDENTITY, 0), "it takes no position", "it changes nothing"),
    # kinds of layers
    (
        CNN,
        Mutation(ADD_UNITS, 0),
        "the layer there is conv 4 (3x3), not a dense layer",
        "legal at 9",
    ),
    (
        CNN,
        Mutation(ADD_CHANNELS, 9),
        "the layer there is dense 6 (relu), not a convolution",
        "legal at 0, 4",
    ),
    (CNN, Mutation(TRUNCATE, 8), "the layer there is flatten, not a dense layer", "legal at 9"),
    (CNN, Mutation(ADD_DENSE, 8), ", not a dense layer", "legal at 10"),
    (
        ((6,), [NORMED_INPUT, Dense(3), Dense(2)]),
        Mutation(ADD_UNITS, 0),
        "the LayerNormalization there is kept as it is",
        "legal at 1",
    ),
    # readers
    (DENSE, Mutation(ADD_UNITS, 2), "it is the output layer, which never changes", "legal at"),
    (DENSE, Mutation(REMOVE_DENSE, 2), "it is the output layer", "legal at 0, 1"),
    (
        ((6,), [Dense(5), NORMED, Dense(3)]),
        Mutation(REMOVE_UNITS, 0),
        "the LayerNormalization at 1 reads its outputs and is kept as it is",
        "legal nowhere",
    ),
    (
        ((6,), [Dense(3), Dense(5), NORMED]),
        Mutation(ADD_UNITS, 1),
        "the LayerNormalization at 2 reads its outputs and is kept as it is",
        "legal at 0",
    ),
    ((IMAGE, [Conv(4), Conv(2)]), Mutation(REMOVE_CHANNELS, 1), "the output layer", "legal at 0"),
    # widths
    (
        DENSE,
        Mutation(ADD_UNITS, 0, 5),
        "the new width 5 is not above the current 5",
        "legal at 0, 1",
    ),
    (
        DENSE,
        Mutation(REMOVE_UNITS, 0, 5),
        "the new width 5 is not below the current 5",
        "legal at 0, 1",
    ),
    (
        DENSE,
        Mutation(REMOVE_UNITS, 0, 0),
        "at least one of its 5 outputs must remain",
        "legal at 0, 1",
    ),
    (
        ((6,), [Dense(2), Dense(3)]),
        Mutation(REMOVE_UNITS, 0),
        "at least one of its 2 outputs",
        "nowhere",
    ),
    (
        CNN,
        Mutation(ADD_CHANNELS, 0, 3),
        "the new width 3 is not above the current 4",
        "legal at 0, 4",
    ),
    (
        CNN,
        Mutation(REMOVE_CHANNELS, 4, 9),
        "the new width 9 is not below the current 5",
        "legal at 0, 4",
    ),
    (
        ((IMAGE), [Conv(3), Flatten(), Dense(2)]),
        Mutation(REMOVE_CHANNELS, 0),
        "at least one of its 3 outputs",
        "nowhere",
    ),
    (DENSE, Mutation(ADD_DENSE, 1, 9), "its width must be 5, that of its input", "legal at 1, 2"),
    (
        DENSE,
        Mutation(ADD_DENSE, 0),
        "it is the first dense layer: new ones go after it",
        "legal at 1, 2",
    ),
    (CNN, Mutation(ADD_CELL, 4, 9), "its width must be 4, that of its input", "legal at 0, 4, 8"),
    (DENSE, Mutation(TRUNCATE, 0, 5), "the rank 5 is not between 1 and 4", "legal at 0, 1"),
    (DENSE, Mutation(TRUNCATE, 0, 0), "the rank 0 is not between 1 and 4", "legal at 0, 1"),
    (DENSE, Mutation(REMOVE_DENSE, 0, 4), "it takes no width", "legal at 0, 1"),
    (CNN, Mutation(REMOVE_CELL, 0, 4), "it takes no width", "legal at 0, 4"),
    # pooling
    (CNN, Mutation(ADD_CELL, 0, pooling="mean"), "pooling must be average or max, not mean", ""),
    (
        CNN,
        Mutation(ADD_UNITS, 9, pooling="max"),
        "it takes no pooling",
        "legal at 9",
    ),
    # conv cells
    (
        DENSE,
        Mutation(ADD_CELL, 0),
        "the network has no layer that flattens an image",
        "legal nowhere",
    ),
    ((IMAGE, [Conv(4), Conv(2)]), Mutation(ADD_CELL, 0), "has no layer that flattens", "nowhere"),
    (CNN, Mutation(ADD_CELL, 9), "the image is already flat there", "legal at 0, 4, 8"),
    (
        (IMAGE, [Conv(4), GlobalPool(), Dense(3)]),
        Mutation(ADD_CELL, 2),
        "the image is already flat there",
        "legal at 0, 1",
    ),
    (
        CNN,
        Mutation(ADD_CELL, 1),
        "conv cells go before a convolution or",
        "legal at 0, 4",
    ),
    (
        ((2, 1, 3), [Flatten(), Dense(3)]),
        Mutation(ADD_CELL, 0),
        "the flattened image is 1 pixel wide or high: there is nothing left to pool",
        "legal nowhere",
    ),
    (
        ((6,), [EMBEDDED, Flatten(), Dense(3)]),
        Mutation(ADD_CELL, 1),
        "the Embedding at 0 gives no image with its channels last",
        "legal nowhere",
    ),
    (
        ((4, 4, 4, 2), [Flatten(), Dense(3)]),
        Mutation(ADD_CELL, 0),
        "an image (height, width, channels), not (4, 4, 4, 2)",
        "legal nowhere",
    ),
    (
        ((4, 4, 1), [Conv(3, padding="valid"), Flatten(), Dense(3)]),
        Mutation(ADD_CELL, 0),
        "conv 3 (3x3) is larger than its input of 2x2",
        "legal at 1",
    ),
    (
        (IMAGE, [Conv(4), IMAGE_NORMED, Conv(3), Flatten(), Dense(3)]),
        Mutation(ADD_CELL, 0),
        "GroupNormalization is kept as it is and needs an input of (8, 8, 4), not (4, 4, 4)",
        "legal at 2, 3",
    ),
    (
        (IMAGE, [Flatten(), Reshape((8, 16)), Flatten(), Dense(3)]),
        Mutation(ADD_CELL, 0),
        "reshape to 8x16 cannot take an input of (32,)",
        "legal nowhere",
    ),
    (
        (IMAGE, [Flatten(), BatchNorm(), Dense(3)]),
        Mutation(ADD_CELL, 0),
        "batch normalization after the flatten layer supports one image size only",
        "legal nowhere",
    ),
    (BARE, Mutation(REMOVE_CELL, 0), "no complete conv cell", "legal nowhere"),
    (
        (IMAGE, [*conv_cell(4), BatchNorm(), Conv(3), Flatten(), Dense(3)]),
        Mutation(REMOVE_CELL, 0),
        "a later batch normalization would lose the outputs that it normalizes",
        "legal nowhere",
    ),
    (
        (
            IMAGE,
            [Conv(4), Pool(strides=1), BatchNorm(), Activation(), Flatten(), BatchNorm(), Dense(3)],
        ),
        Mutation(REMOVE_CELL, 0),
        "a later batch normalization would lose the outputs that it normalizes",
        "legal nowhere",
    ),
    (
        ((6,), [Dense(5), Flatten(), BatchNorm(), Dense(3)]),
        Mutation(REMOVE_DENSE, 0),
        "a later batch normalization would lose the outputs that it normalizes",
        "legal nowhere",
    ),
]


@pytest.mark.parametrize(
    ("network", "mutation", "reason", "instead"),
    REASONS,
    ids=[f"{mutation.operation}-{reason[:30]}" for _, mutation, reason, _ in REASONS],
)
def test_error_says_why_and_where_the_mutation_is_legal(
    network: Row, mutation: Mutation, reason: str, instead: str
) -> None:
    shape, layers = network
    with pytest.raises(IllegalMutation) as refused:
        mutate_topology(Topology(shape, tuple(layers)), mutation)
    message = str(refused.value)
    assert message.startswith(f"{mutation.operation} at position {mutation.position}: ")
    said, _, where = message.partition("; ")
    assert reason in said
    assert instead in where


def test_normalization_goes_with_its_removed_layer() -> None:
    layers = (Dense(5, "linear"), BatchNorm(), Activation(), Dense(3))
    topology = mutate_topology(Topology((6,), layers), Mutation(REMOVE_DENSE, 0))
    assert topology.layers == layers[3:]
