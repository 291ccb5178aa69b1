"""Starting topologies of samples with several inputs."""

from __future__ import annotations

import re
from typing import Any

import pytest

from netsurgery.networks.blocks import Parallel
from netsurgery.networks.layers import Conv, Dense, Flatten, GlobalPool, InputPart, input_parts
from netsurgery.networks.topologies import build, named
from netsurgery.networks.topology import Topology
from netsurgery.search.arbor.templates import small_template_for, templates_for

INPUTS = input_parts({"features": (5,), "image": (16, 16, 3), "ecg": (40, 2)})
WIDTH = 5 + 16 * 16 * 3 + 40 * 2


def built(entries: list[dict[str, Any]]) -> Topology:
    return build(entries, (WIDTH,), 3, inputs=INPUTS)


def rows(topology: Topology) -> dict[str, list[str]]:
    """The kinds of layers in the row of each input."""
    first = topology.row[0]
    assert isinstance(first, Parallel)
    found = {}
    for part, *row in first.rows:
        assert isinstance(part, InputPart)
        found[part.name] = [type(layer).__name__ for layer in row]
    return found


def test_cells_go_to_images_and_series_and_dense_layers_behind_the_join() -> None:
    topology = built([{"conv": {"channels": 4}}, {"dense": {"units": 6}}])
    assert rows(topology) == {
        "features": ["Dense"],
        "image": ["Conv", "Flatten", "Dense"],
        "ecg": ["Conv", "Flatten", "Dense"],
    }
    assert [str(layer) for layer in topology.layers[-2:]] == ["dense 6 (relu)", "dense 3 (softmax)"]


def test_each_input_may_have_entries_of_its_own() -> None:
    own = [{"conv": {"channels": 4}}, {"flatten": {}}, {"dense": {"units": 16}}]
    given = {"ecg": own, "features": own[2:], "image": own}
    same = built([{"conv": {"channels": 4}}, {"dense": {"units": 6}}])
    assert built([{"inputs": {"rows": given}}, {"dense": {"units": 6}}]) == same
    given = {"features": [], "image": own[:1], "ecg": [*own[:1], {"global_max": {}}]}
    topology = built([{"inputs": {"rows": given}}])
    assert rows(topology) == {
        "features": [],
        "image": ["Conv", "Flatten"],
        "ecg": ["Conv", "GlobalPool"],
    }
    assert [str(layer) for layer in topology.layers[-1:]] == ["dense 3 (softmax)"]


ROWS: dict[str, list[dict[str, Any]]] = {"features": [], "image": [], "ecg": []}
CELL = {"conv_cell": {"channels": 4}}


@pytest.mark.parametrize(
    ("entries", "reason"),
    [
        ([{"inputs": {"rows": {**ROWS, "imag": []}}}], "unknown input 'imag'; did you mean image?"),
        ([{"inputs": {"rows": {"image": [], "ecg": []}}}], "no list for the input 'features'"),
        (
            [{"inputs": {"rows": {**ROWS, "features": [CELL]}}}],
            "entry 1, inputs, features, entry 1, conv_cell: needs images or series",
        ),
        ([{"inputs": {"rows": ROWS}}, CELL], "entry 2, conv_cell: needs images or series"),
        ([CELL, {"inputs": {"rows": ROWS}}], "entry 2, inputs: begins the list of a dataset"),
    ],
)
def test_lists_that_fit_no_input_are_named(entries: list[dict[str, Any]], reason: str) -> None:
    with pytest.raises(ValueError, match=re.escape(reason)):
        built(entries)


def test_a_dataset_of_one_input_has_no_rows_of_inputs() -> None:
    with pytest.raises(ValueError, match="entry 1, inputs: begins the list of a dataset with sev"):
        build([{"inputs": {"rows": ROWS}}], (5,), 2)


@pytest.mark.parametrize("name", ["cnn-tiny", "ff-small", "resnet-tiny", "mobile-tiny"])
def test_named_topologies_take_several_inputs(name: str) -> None:
    topology = built(named(name))
    assert topology.output_shape == (3,)
    assert {*rows(topology)} == {"features", "image", "ecg"}


def test_an_entry_that_fits_no_input_is_named() -> None:
    cells = [{"conv_cell": {"channels": 4}}] * 2
    with pytest.raises(ValueError, match="entry 2, conv_cell: needs images or series"):
        build([{"batch_norm": {}}, *cells], (7,), 2, inputs=input_parts({"a": (4,), "b": (3,)}))
    with pytest.raises(ValueError, match="entry 3, conv_cell: needs images or series"):
        built([*cells[:1], {"dense": {"units": 2}}, *cells[:1]])


def test_templates_have_a_row_for_each_input() -> None:
    start = built(named("cnn-tiny"))
    small = small_template_for(start)
    assert small is not None
    for template in (small, *templates_for(start).values()):
        assert template.inputs == start.inputs
        kinds = rows(template)
        assert kinds["features"] == [Dense.__name__]
        for name in ("image", "ecg"):
            assert kinds[name][0] == Conv.__name__
            assert kinds[name][-1] in (GlobalPool.__name__, Flatten.__name__)
