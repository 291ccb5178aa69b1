"""What the measurements of Arbor make of their runs."""

from benchmarks.arbor import alternatives, first_look
from benchmarks.arbor.first_look import Outcome


def outcome(gradient, cooled, parameters):
    hot = [gradient, gradient + 1]
    return Outcome("add_cell 3", gradient, gradient, parameters, parameters, hot, list(cooled))


def test_a_predictor_that_ranks_as_training_does_correlates_fully():
    found = first_look.rank_correlations(
        [
            outcome(3.0, (0.1, 0.4), parameters=1),
            outcome(2.0, (0.3, 0.5), parameters=2),
            outcome(1.0, (0.7, 0.6), parameters=3),
        ]
    )
    assert found["gradient"] == 1
    assert found["parameters"] == -1
    assert found["cooled loss, one order from the other"] == 1


def run(name, seed, accuracy, seconds):
    return {
        **{"alternative": name, "seed": seed, "accuracy": accuracy, "seconds": seconds},
        **{"parameters": 20_000, "multiplications": 1, "budget": 10},
    }


def test_a_table_has_the_mean_and_the_range_over_seeds():
    rows = alternatives.table(
        [run("arbor", 0, 0.7, 10), run("arbor", 1, 0.8, 20), run("brackets", 0, 0.5, 4)]
    ).splitlines()
    assert rows[2:] == [
        "| arbor | 75.0 | 70.0-80.0 | 20,000 | 15 |",
        "| brackets | 50.0 | 50.0-50.0 | 20,000 | 4 |",
    ]
