"""`netsurgery pick`: the best network within limits."""

import pytest

from netsurgery.cli import pick
from netsurgery.search.front import COLUMNS
from netsurgery.storage.files import write_json, write_table
from tests.unit.cli.examples import SUMMARY

# candidate, parameters, multiplications, latency, score
NETWORKS = [
    ("g01c00", 100, 4000, 0.002, 0.7),
    ("g01c01", 200, 2000, 0.003, 0.8),
    ("g02c00", 300, 9000, 0.001, 0.8),
    ("g03c00", 900, 9000, None, 0.9),
]


def write_search(results, name, networks, **changed):
    folder = results / name / "seed3"
    summary = SUMMARY | {"dataset": "digits", "objective": "val_accuracy"} | changed
    write_json(folder / "final" / "summary.json", summary)
    rows = [
        dict.fromkeys(COLUMNS, 1)
        | {"candidate": candidate, "parameters": size, "multiplications": count}
        | {"val_score": score, "on_front": True, "model": f"{candidate}.keras"}
        for candidate, size, count, _, score in networks
    ]
    for candidate, _, _, latency, _ in networks:
        write_json(folder / f"{candidate}.json", {"latency": latency})
    write_table(folder / "front.csv", COLUMNS, rows)


@pytest.fixture
def results(tmp_path, monkeypatch):
    """A results folder; what is picked is named, not written."""
    monkeypatch.setattr(pick, "_write", lambda chosen, results, out: None)
    write_search(tmp_path, "s", NETWORKS)
    return tmp_path


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        ("", "g03c00"),
        ("--max-parameters 300", "g01c01"),  # of two equally good ones the smaller
        ("--max-parameters 199", "g01c00"),
        ("--max-parameters 300 --max-latency 0.001", "g02c00"),
        ("--max-multiplications 2000", "g01c01"),
        ("--max-latency 0.5", "g01c01"),  # an unknown latency is no small one
        ("--min-accuracy 0.75", "g01c01"),
        ("--min-accuracy 0.8 --max-latency 0.001", "g02c00"),
    ],
)
def test_the_best_network_within_limits_is_picked(limits, expected, results, netsurgery):
    assert f": {expected} of s, seed3" in netsurgery(
        "pick", results, "-o", "m.keras", *limits.split()
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--max-parameters 50", "--max-parameters: no network has at most 50 parameters; the"),
        ("--max-model-bytes 1 --max-latency 0.0001", "--max-latency: no network has at most"),
        ("--min-accuracy 0.95", "--min-accuracy: no network reaches 0.95; the best has 0.9"),
        ("--search t", "no finished search t"),
        ("--seed 4", "no finished search with seed 4"),
    ],
)
def test_limits_that_nothing_keeps_are_named(arguments, message, results, error_of):
    assert message in error_of("pick", results, "-o", "m.keras", *arguments.split())


def test_of_several_searches_the_best_network_is_picked(results, netsurgery, error_of):
    write_search(results, "better", [("g00c00", 500, 1, 0.1, 0.95)])
    assert "g00c00 of better, seed3" in netsurgery("pick", results, "-o", "m.keras")
    assert "g03c00 of s" in netsurgery("pick", results, "-o", "m.keras", "--search", "s")
    write_search(results, "other", NETWORKS, dataset="mnist")
    message = error_of("pick", results, "-o", "m.keras")
    assert message.endswith("searches of several datasets (digits, mnist): choose by --search")


def test_a_loss_is_the_better_the_lower(tmp_path, monkeypatch, netsurgery):
    monkeypatch.setattr(pick, "_write", lambda chosen, results, out: None)
    write_search(tmp_path, "s", NETWORKS, objective="val_loss")
    assert ": g01c00 of s" in netsurgery("pick", tmp_path, "-o", "m.keras")


def test_another_name_of_the_file_is_refused(results, error_of):
    assert error_of("pick", results, "-o", "m.h5") == "m.h5: the name must end in .keras"


def test_results_without_a_front_are_named(results, error_of):
    (results / "s" / "seed3" / "front.csv").unlink()
    assert "run the search again, which writes it" in error_of("pick", results, "-o", "m.keras")
