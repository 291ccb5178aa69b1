"""Which networks are too large."""

import pytest

from netsurgery.networks.topologies import build, named
from netsurgery.search.size_limit import DEFAULT_LIMIT, why_no_start, why_too_large

LARGE = build(named("ff-large"), (512, 512, 3), 10)


@pytest.mark.parametrize(
    ("parameters", "before", "limit", "fits"),
    [
        (99, 50, 100, True),
        (100, 50, 100, False),
        (100, 101, 100, True),  # a network above the limit may shrink, step by step
        (101, 101, 100, False),
        (DEFAULT_LIMIT - 1, 50, None, True),
        (DEFAULT_LIMIT, 50, None, False),
        (DEFAULT_LIMIT + 1, DEFAULT_LIMIT + 2, None, True),
    ],
)
def test_candidates_stay_below_the_limit_or_shrink(parameters, before, limit, fits):
    assert (why_too_large(parameters, before, limit) is None) == fits


def test_a_start_is_limited_only_by_what_the_user_sets():
    assert LARGE.parameters > DEFAULT_LIMIT
    assert why_no_start(LARGE, None) is None
    assert why_no_start(LARGE, LARGE.parameters) is None
    reason = why_no_start(LARGE, 3000)
    assert reason
    assert "78,648,970 parameters of the initial network for samples of 512x512x3" in reason
