"""Entries of a topology's list: what networks they make, and which lists are refused."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest

from netsurgery.networks.blocks import Parallel, Residual
from netsurgery.networks.entries import ENTRIES, row_of
from netsurgery.networks.inference import predict
from netsurgery.networks.layers import (
    Activation,
    BatchNorm,
    Conv,
    Dense,
    Flatten,
    GlobalPool,
    Pool,
    SeparableConv,
)
from netsurgery.networks.network import initialise
from netsurgery.networks.presets import NAMED, PRESETS
from netsurgery.networks.topologies import build
from netsurgery.networks.topology import Topology
from tests.support.factories import schema

IMAGE, SERIES = (12, 10, 6), (20, 6)
OF_SCHEMA = schema()["$defs"]["entries"]["items"]["properties"]


def parameters_of(name: str) -> list[inspect.Parameter]:
    _, *settings = inspect.signature(ENTRIES[name]).parameters.values()
    return settings


@pytest.mark.parametrize("name", ENTRIES)
def test_the_schema_has_the_settings_and_defaults_of_the_code(name: str) -> None:
    properties, required = OF_SCHEMA[name]["properties"], OF_SCHEMA[name].get("required", [])
    assert list(properties) == [each.name for each in parameters_of(name)]
    for each in parameters_of(name):
        needed = each.default is each.empty
        assert needed == (each.name in required)
        default = None if needed else each.default
        assert properties[each.name].get("default") == default, each.name


def test_the_schema_has_the_entries_of_the_code() -> None:
    assert OF_SCHEMA.keys() == ENTRIES.keys()


SETTINGS: list[dict[str, Any]] = [
    {"conv_cell": {"channels": 4}},
    {"conv_cell": {"channels": 4, "pooling": "none"}},
    {"conv_cell": {"channels": 4, "kernel": 5, "stride": 2, "repeats": 3, "pooling": "max"}},
    {"conv_cell": {"channels": 4, "separable": True, "stride": 2}},
    {"conv": {"channels": 4, "kernel": 1, "activation": "tanh"}},
    {"conv": {"channels": 4, "separable": True}},
    {"residual": {"channels": 8, "block": "bottleneck", "separable": True}},
    {"residual": {"channels": 8, "normalization": "layer"}},
    {"layer_norm": {}},
    {"dropout": {"rate": 0.5}},
    {"residual": {"channels": 6}},
    {"residual": {"channels": 6, "stride": 2}},
    {"residual": {"channels": 4, "repeats": 2, "normalization": "none", "activation": "linear"}},
    {"residual": {"channels": 8, "block": "bottleneck", "stride": 2, "inner_channels": 3}},
    {"squeeze": {"ratio": 2}},
    {"squeeze": {"ratio": 100}},
    {"pool": {"function": "max", "size": 3, "stride": 2}},
    {"parallel": {"branches": [[{"conv": {"channels": 3}}, {"squeeze": {}}], []]}},
    {"parallel": {"branches": [[{"conv": {"channels": 6}}], []], "join": "add"}},
    {"batch_norm": {}},
    {"activation": {"function": "sigmoid"}},
    {"flatten": {}},
    {"global_average": {}},
    {"global_max": {}},
    {"dense": {"units": 5}},
    {"residual_dense": {"units": 5, "inner_units": 3, "repeats": 2}},
]


@pytest.mark.parametrize("shape", [IMAGE, SERIES], ids=["image", "series"])
@pytest.mark.parametrize("entry", SETTINGS, ids=str)
def test_each_entry_makes_a_network_that_computes(
    entry: dict[str, Any], shape: tuple[int, ...]
) -> None:
    topology = build([entry], shape, 3)
    rng = np.random.default_rng(0)
    outputs = predict(initialise(topology, rng), rng.normal(size=(2, *shape)))
    assert outputs.shape == (2, 3)
    np.testing.assert_allclose(outputs.sum(axis=1), 1)


def test_cells_in_a_row_stride_first_and_pool_last() -> None:
    settings = {"channels": 4, "stride": 2, "repeats": 2, "kernel": 5, "pooling": "max"}
    normalized = (BatchNorm(), Activation("relu"))
    assert row_of([{"conv_cell": settings}], IMAGE) == (
        *(Conv(4, 5, strides=2), *normalized),
        *(Conv(4, 5), Pool("max"), *normalized),
    )


def test_blocks_project_only_where_the_shape_changes() -> None:
    row = row_of([{"residual": {"channels": 8, "stride": 2, "repeats": 2}}], IMAGE)
    first, _, second, _ = row
    assert isinstance(first, Residual)
    assert isinstance(second, Residual)
    assert first.shortcut == (Conv(8, 1, use_bias=False, strides=2), BatchNorm())
    assert second.shortcut == ()
    assert Topology(IMAGE, row).output_shape == (6, 5, 8)


def test_a_bottleneck_reduces_its_channels_by_four() -> None:
    block, _ = row_of([{"residual": {"channels": 16, "block": "bottleneck", "stride": 2}}], IMAGE)
    assert isinstance(block, Residual)
    convolutions = [layer for layer in block.body if isinstance(layer, Conv)]
    assert [(c.channels, c.kernel, c.strides) for c in convolutions] == [
        (4, 1, 1),
        (4, 3, 2),
        (16, 1, 1),
    ]


def test_only_kernels_that_see_neighbours_are_separable() -> None:
    settings = {"channels": 8, "block": "bottleneck", "separable": True, "stride": 2}
    block, _ = row_of([{"residual": settings}], IMAGE)
    assert isinstance(block, Residual)
    kinds = [type(layer) for layer in (*block.body, *block.shortcut)]
    assert [kind for kind in kinds if kind in (Conv, SeparableConv)] == [
        *(Conv, SeparableConv, Conv),
        Conv,
    ]


def test_a_body_ends_before_its_activation() -> None:
    block, activation = row_of([{"residual": {"channels": 6, "activation": "tanh"}}], IMAGE)
    assert isinstance(block, Residual)
    assert isinstance(block.body[-1], BatchNorm)
    assert activation == Activation("tanh")


def test_dense_layers_flatten_where_nothing_else_does() -> None:
    assert row_of([{"dense": {"units": 2}}], IMAGE)[0] == Flatten()
    pooled = row_of([{"global_average": {}}, {"dense": {"units": 2}}], IMAGE)
    assert pooled == (GlobalPool(), Dense(2))
    (block,) = row_of([{"parallel": {"branches": [[{"dense": {"units": 2}}], []]}}], (5,))
    assert block == Parallel(((Dense(2),), ()))


@pytest.mark.parametrize(
    ("entries", "shape", "message"),
    [
        ([{"residual": {"channels": 4}}], (9,), "entry 1, residual: needs images"),
        (
            [{"conv": {"channels": 4}}, {"global_max": {}}, {"squeeze": {}}],
            IMAGE,
            "entry 3, squeeze: must come before all dense layers and heads",
        ),
        (
            [{"conv": {"channels": 4}}, {"parallel": {"branches": [[], [{"pool": {}}]]}}],
            IMAGE,
            r"entry 2, parallel: concatenate needs inputs .*\(12, 10, 4\) and \(6, 5, 4\)",
        ),
        (
            [{"parallel": {"branches": [[], [{"flatten": {}}, {"pool": {}}]]}}],
            IMAGE,
            "entry 1, parallel, branch 2, entry 2, pool: must come before",
        ),
    ],
)
def test_a_list_that_cannot_be_is_refused(entries: Any, shape: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build(entries, shape, 3)


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("shape", [(28, 28, 1), (8, 8, 3), (128, 9), (10, 1)])
def test_presets_take_images_and_series_of_any_size(name: str, shape: Any) -> None:
    assert build(NAMED[name], shape, 10).output_shape == (10,)
