"""Expansion of lists: one search per combination of values."""

import pytest

from netsurgery.config.errors import ConfigError
from tests.unit.config.examples import load


def test_lists_expand_and_add_their_values_to_the_name():
    found = load(
        topology=["cnn-small", "ff-small"],
        mode=["greedy", "balanced"],
        greediness=[0, 0.5],
        seeds=[0, 7],
    )
    assert list(found.searches) == [
        "s.cnn-small.greedy",
        "s.cnn-small.balanced.0",
        "s.cnn-small.balanced.0.5",
        "s.ff-small.greedy",
        "s.ff-small.balanced.0",
        "s.ff-small.balanced.0.5",
    ]
    assert found.searches["s.ff-small.balanced.0"].settings["greediness"] == 0
    assert found.searches["s.ff-small.greedy"].seeds == [0, 7]


def test_a_single_seed_needs_no_list():
    assert load(seeds=0).searches["s"].seeds == [0]


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ([], "the list is empty"),
        (["greedy", "greedy"], "['greedy', 'greedy'] lists a value twice"),
    ],
)
def test_a_list_has_different_values(values, line):
    with pytest.raises(ConfigError) as caught:
        load(mode=values)
    assert str(caught.value).startswith(f"config: searches.s.mode: {line}")
