"""The scale of an experiment."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netsurgery.config import loading, scaling
from netsurgery.config.errors import ConfigError
from netsurgery.search.algorithms import ALGORITHMS
from tests.support.factories import SCHEMA, search


@given(st.floats(0.001, 1), st.sampled_from(["arbor", "ectonas", "surgeon", "baseline"]))
def test_scaling_shrinks_epochs_data_and_seeds(factor, algorithm):
    topology = "surgeon-small" if algorithm == "surgeon" else "cnn-medium"
    settings = search(algorithm=algorithm, topology=topology, seeds=list(range(10))).settings
    shrunk = scaling.scale_settings(settings, factor)
    assert shrunk.keys() == settings.keys()
    for key in ALGORITHMS[algorithm].epoch_settings:
        if key in settings:
            assert 1 <= shrunk[key] <= settings[key]
            assert abs(shrunk[key] - factor * settings[key]) <= 1
    assert shrunk["subset_fraction"] == pytest.approx(factor)
    assert shrunk["seeds"] == settings["seeds"][: len(shrunk["seeds"])]
    assert len(shrunk["seeds"]) >= max(3, 10 * factor)
    untouched = settings.keys() - {
        *ALGORITHMS[algorithm].epoch_settings,
        "subset_fraction",
        "seeds",
    }
    assert all(shrunk[key] == settings[key] for key in untouched)


def test_full_scale_changes_nothing():
    settings = search().settings
    assert scaling.scale_settings(settings, 1) == settings
    assert scaling.scale_settings({**settings, "seeds": [7]}, 0.1)["seeds"] == [7]


def test_scaled_settings_are_exact_decimals():
    settings = search(seeds=list(range(100)), budget=50, subset_fraction=0.2).settings
    shrunk = scaling.scale_settings(settings, 0.07)
    assert shrunk["subset_fraction"] == 0.014  # 0.07 * 0.2 is 0.014000000000000002
    assert len(shrunk["seeds"]) == 7  # 0.07 * 100 is 7.000000000000001
    assert shrunk["budget"] == 4  # 0.07 * 50 is 3.5000000000000004, 3.5 rounds to an even number


def test_times_are_scaled():
    assert scaling.scale_settings(search(budget="20min").settings, 0.1)["budget"] == "120s"


def test_scaling_applies_to_every_search():
    given_ = {
        "searches": {"s": {"algorithm": "ectonas", "dataset": "digits", "topology": "ff-small"}}
    }
    whole, tenth = loading.load(given_, SCHEMA), loading.load(given_ | {"scale": 0.1}, SCHEMA)
    assert (whole.scale, tenth.scale) == (1, 0.1)
    assert tenth.searches["s"].settings["budget"] == whole.searches["s"].settings["budget"] / 10
    for wrong in (0, 1.5, "half"):
        with pytest.raises(ConfigError, match="scale"):
            loading.load(given_ | {"scale": wrong}, SCHEMA)
