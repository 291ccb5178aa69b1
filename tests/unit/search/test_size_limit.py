"""Which networks are too large."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netsurgery.networks.layers import Conv, Dense, Flatten, GlobalPool
from netsurgery.networks.topologies import build, named
from netsurgery.networks.topology import Topology
from netsurgery.search.size_limit import (
    DEFAULT_MAX_PARAMETERS,
    NO_LIMITS,
    SIZES,
    SizeLimits,
    why_no_start,
    why_too_large,
)

LARGE = build(named("ff-large"), (512, 512, 3), 10)


def network(units, inputs=10):
    """One dense layer without bias: as many multiplications as parameters."""
    return Topology((inputs,), (Dense(units, use_bias=False),))


@pytest.mark.parametrize(("key", "scale"), [*zip(SIZES, (1, 1, 4), strict=True)])
@pytest.mark.parametrize(
    ("units", "before", "limit", "fits"),
    [
        (9, 5, 100, True),
        (10, 5, 100, False),
        (10, 11, 100, True),  # a network above the limit may shrink, step by step
        (11, 11, 100, False),
    ],
)
def test_candidates_stay_below_the_limit_or_shrink(key, scale, units, before, limit, fits):
    limits = SizeLimits(**{key: limit * scale})
    reason = why_too_large(network(units), network(before), limits)
    assert (reason is None) == fits
    if not fits:
        assert reason.startswith(f"{10 * units * scale} {SIZES[key].unit}, {limit * scale} or more")


@pytest.mark.parametrize(
    ("units", "before", "fits"),
    [
        (DEFAULT_MAX_PARAMETERS - 1, 50, True),
        (DEFAULT_MAX_PARAMETERS, 50, False),
        (DEFAULT_MAX_PARAMETERS + 1, DEFAULT_MAX_PARAMETERS + 2, True),
    ],
)
def test_without_a_limit_the_papers_applies(units, before, fits):
    assert (why_too_large(network(units, 1), network(before, 1), NO_LIMITS) is None) == fits


def test_each_limit_counts_something_else():
    flat = Topology((8, 8, 3), (Conv(8), Flatten(), Dense(10)))
    pooled = Topology((8, 8, 3), (Conv(8), Conv(8), GlobalPool(), Dense(10)))
    assert why_too_large(pooled, flat, SizeLimits(max_parameters=1000)) is None
    assert why_too_large(pooled, flat, SizeLimits(max_model_bytes=5000)) is None
    reason = why_too_large(pooled, flat, SizeLimits(max_multiplications=50_000))
    assert reason == "50768 multiplications per sample, 50000 or more"


@given(st.sampled_from(sorted(SIZES)), st.integers(1, 40))
def test_what_may_start_has_room_to_shrink_only_below(key, units):
    start = network(units)
    found = SIZES[key].count(start)
    assert why_no_start(start, SizeLimits(**{key: found})) is None
    refused = why_no_start(start, SizeLimits(**{key: found - 1}))
    assert refused
    assert refused[0] == key
    assert f"raise it to {found:,}" in refused[1]


def test_a_start_is_limited_only_by_what_the_user_sets():
    assert LARGE.parameters > DEFAULT_MAX_PARAMETERS
    assert why_no_start(LARGE, NO_LIMITS) is None
    assert why_no_start(LARGE, SizeLimits(LARGE.parameters)) is None
    key, reason = why_no_start(LARGE, SizeLimits(3000)) or ("", "")
    assert key == "max_parameters"
    assert "78,648,970 parameters of the initial network for samples of 512x512x3" in reason
