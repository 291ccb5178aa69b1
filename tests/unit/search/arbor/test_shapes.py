"""Networks as large as the limits allow."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netsurgery.networks import topologies
from netsurgery.networks.costs import model_bytes, multiplications
from netsurgery.networks.layers import Conv, Dense, GlobalPool, Pool
from netsurgery.search.arbor.scaling import scaled_to_limits, widths, with_widths
from netsurgery.search.arbor.shapes import shapes
from netsurgery.search.arbor.templates import TEMPLATES, templates_for
from netsurgery.search.size_limit import SizeLimits

NAMES = ["cnn-tiny", "cnn-medium", "resnet-tiny", "mobile-tiny"]
COUNTS = {
    "max_parameters": lambda topology: topology.parameters,
    "max_multiplications": multiplications,
    "max_model_bytes": model_bytes,
}


def network(name="cnn-tiny", shape=(16, 16, 3), outputs=10):
    return topologies.build(topologies.named(name), shape, outputs)


@settings(deadline=None, max_examples=8)
@given(st.sampled_from(NAMES), st.sampled_from(sorted(COUNTS)), st.integers(200_000, 5_000_000))
def test_scaling_comes_close_to_a_limit(name, key, limit):
    made = scaled_to_limits(network(name), SizeLimits(**{key: limit}))
    count = COUNTS[key]
    assert 0.9 * limit < count(made) < limit
    wider = {owner: round(1.25 * width) + 4 for owner, width in widths(made).items()}
    assert count(with_widths(made, wider)) > limit


@settings(deadline=None, max_examples=5)
@given(st.sampled_from(NAMES), st.integers(20_000, 200_000))
def test_scaling_keeps_proportions(name, limit):
    start = network(name)
    made = widths(scaled_to_limits(start, SizeLimits(limit)))
    ratios = [made[owner] / width for owner, width in widths(start).items() if made[owner] >= 16]
    assert not ratios or max(ratios) <= 2 * min(ratios)


def test_a_shape_that_cannot_be_small_enough_is_left_out():
    assert scaled_to_limits(network(), SizeLimits(20)) is None
    assert shapes(network(), SizeLimits(20)) == {}


@pytest.mark.parametrize(
    ("shape", "pooled"),
    [
        ((8, 8, 1), 1),
        ((28, 28, 1), 2),
        ((32, 32, 3), 2),
        ((128, 9), 1),
        ((300, 9), 2),
        ((20, 1), 1),
    ],
)
def test_templates_pool_until_sides_are_short(shape, pooled):
    found = templates_for(network(shape=shape, outputs=7))
    assert list(found) == [template.name for template in TEMPLATES]
    for template in TEMPLATES:
        made = found[template.name]
        assert made.input_shape == shape
        assert made.output_shape == (7,)
        assert len(made.positions(Pool)) == pooled
        assert len(made.positions(Conv)) == pooled * template.cells + template.cells_behind
        assert made.positions(GlobalPool)


def test_templates_of_rows_are_dense():
    start = network("ff-small", shape=(13,), outputs=1)
    for template in TEMPLATES:
        layers = templates_for(start)[template.name].layers
        units = [layer.units for layer in layers if isinstance(layer, Dense)]
        assert units == [*template.units, 1]


def test_templates_keep_what_is_known_of_the_output():
    logits = topologies.build(topologies.named("cnn-tiny"), (8, 8, 1), 10, "linear")
    for made in templates_for(logits).values():
        assert made.layers[-1] == logits.layers[-1]


def test_equal_shapes_compete_once():
    names = [template.name for template in TEMPLATES]
    template = templates_for(network())["deep_template"]
    assert list(shapes(template, SizeLimits(30_000))) == names
    assert list(shapes(network(), SizeLimits(30_000))) == [*names, "scaled"]
