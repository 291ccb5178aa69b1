"""Starting topologies: named ones, and those a user lists."""

from __future__ import annotations

import pytest

from netsurgery.networks.layers import (
    Activation,
    BatchNorm,
    Conv,
    Dense,
    Flatten,
    Pool,
    Shape,
)
from netsurgery.networks.presets import OF_PAPERS
from netsurgery.networks.topologies import build, named, without_defaults
from netsurgery.networks.topology import Topology

# a conv layer holds 3 * 3 * in * out weights and a bias for each of its channels, batch
# normalization gamma and beta for each; a dense layer in * out weights and out biases
PARAMETERS = {
    "ff-small": 784 * 10 + 10 + 10 * 10 + 10,
    "ff-medium": 784 * 10 + 10 + 10 * 10 + 10 + 10 * 10 + 10,
    "ff-large": 784 * 100 + 100 + 100 * 50 + 50 + 50 * 10 + 10 + 10 * 10 + 10,
    "cnn-small": (  # 28, 14, 7, 4 pixels wide
        (9 * 1 * 3 + 3 + 2 * 3)
        + (9 * 3 * 6 + 6 + 2 * 6)
        + (9 * 6 * 9 + 9 + 2 * 9)
        + (4 * 4 * 9 * 10 + 10)
        + (10 * 10 + 10)
    ),
    "cnn-medium": (  # 28, 14, 7 pixels wide
        (9 * 1 * 3 + 3 + 2 * 3)
        + (9 * 3 * 6 + 6 + 2 * 6)
        + (7 * 7 * 6 * 10 + 10)
        + (10 * 10 + 10)
        + (10 * 10 + 10)
    ),
    "cnn-large": (  # 28, 14 pixels wide
        (9 * 1 * 3 + 3 + 2 * 3)
        + (14 * 14 * 3 * 100 + 100)
        + (100 * 50 + 50)
        + (50 * 10 + 10)
        + (10 * 10 + 10)
    ),
    "surgeon-small": 784 * 10 + 10 + 10 * 10 + 10,
    "surgeon-medium": 784 * 10 + 10 + 10 * 10 + 10 + 10 * 10 + 10 + 10 * 10 + 10,
    "surgeon-large": 784 * 300 + 300 + 300 * 100 + 100 + 100 * 100 + 100 + 100 * 10 + 10,
}


@pytest.mark.parametrize("name", OF_PAPERS)
def test_parameters_of_the_papers_topologies(name: str) -> None:
    assert build(named(name), (28, 28, 1), 10).parameters == PARAMETERS[name]


def test_build_adds_flatten_and_output_layers() -> None:
    hidden: list[dict] = [
        {"conv_cell": {"channels": 8, "pooling": "max"}},
        {"dense": {"units": 32}},
    ]
    assert build(hidden, (9, 9, 3), 5) == Topology(
        (9, 9, 3),
        (
            Conv(8),
            Pool("max"),
            BatchNorm(),
            Activation("relu"),
            Flatten(),
            Dense(32, "relu"),
            Dense(5, "softmax"),
        ),
    )


def test_only_images_get_a_flatten_layer() -> None:
    assert build([], (4,), 2, "linear") == Topology((4,), (Dense(2, "linear"),))
    assert build([], (4, 4, 1), 2) == Topology((4, 4, 1), (Flatten(), Dense(2, "softmax")))


@pytest.mark.parametrize(
    ("hidden", "input_shape", "message"),
    [
        (
            [{"conv_cell": {"channels": 3}}],
            (20,),
            "entry 1, conv_cell: needs images .* rows of 20 features",
        ),
        (
            [{"dense": {"units": 3}}, {"conv_cell": {"channels": 3}}],
            (8, 8, 1),
            "entry 2, conv_cell: must come before all dense",
        ),
        ([{"dense": {"units": 3}}], (8, 0, 1), r"\(8, 0, 1\) is empty"),
    ],
)
def test_impossible_hidden_layers_are_an_error(
    hidden: list, input_shape: Shape, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        build(hidden, input_shape, 2)


@pytest.mark.parametrize(
    "hidden",
    [
        [{"conv_cell": {"channels": 4, "pooling": "average"}}, {"dense": {"units": 3}}],
        [{"conv_cell": {"channels": 4, "pooling": "max", "activation": "relu"}}],
        [{"conv": {"channels": 2, "activation": "relu"}}, {"conv": {"channels": 2}}],
        [
            {"dense": {"units": 3, "activation": "relu"}},
            {"dense": {"units": 3, "activation": "tanh"}},
        ],
        [{"parallel": {"branches": [[{"conv": {"channels": 2, "kernel": 3}}], []]}}],
        [{"residual": {"channels": 2, "activation": "relu", "block": "basic", "stride": 1}}],
        [{"conv_cell": {"channels": 2, "kernel": 3, "stride": 1, "repeats": 1}}],
    ],
)
def test_leaving_defaults_out_changes_no_topology(hidden):
    shorter = without_defaults(hidden)
    assert build(shorter, (8, 8, 1), 2) == build(hidden, (8, 8, 1), 2)
    assert not any(
        entry in str(shorter) for entry in ("average", "relu", "kernel", "stride", "block")
    )


def test_windows_are_described_by_the_sides_of_the_input():
    entries = [{"conv_cell": {"channels": 4, "kernel": 5}}]
    for shape, convolution, pool in (
        ((16, 2), "conv 4 (5)", "average pool 2"),
        ((16, 16, 2), "conv 4 (5x5)", "average pool 2x2"),
    ):
        assert build(entries, shape, 3).descriptions[:2] == (convolution, pool)
