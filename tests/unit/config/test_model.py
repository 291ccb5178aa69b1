"""The types of a loaded configuration."""

import pytest

from tests.unit.config.examples import load, load_surgeon


def test_the_warm_up_never_exceeds_the_budget():
    assert load(budget=4).searches["s"].first_epochs == 4
    assert load().searches["s"].first_epochs == 10


def test_the_topologies_of_the_surgeon_end_in_logits():
    assert load_surgeon().searches["s"].output_activation == "linear"
    assert load_surgeon(algorithm="baseline").searches["s"].output_activation == "linear"
    assert load().searches["s"].output_activation == "softmax"


@pytest.mark.parametrize(
    ("seeds", "top", "cores", "expected"),
    [
        (20, {}, 8, 0),
        (21, {}, 8, 1),
        (21, {}, 64, 3),
        (21, {}, None, 0),  # on a cluster
        (21, {"cores_per_search": 0}, 8, 0),
        (1, {"cores_per_search": 2}, 8, 2),
        (21, {"only_run": "s/3"}, 8, 0),
    ],
)
def test_many_runs_on_one_machine_get_a_process_each(seeds, top, cores, expected):
    assert load(top=top, seeds=list(range(seeds))).resolve_cores_per_search(cores) == expected
