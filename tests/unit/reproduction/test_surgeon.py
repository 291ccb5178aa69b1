"""The tables and claims of the Surgeon: what is compared with what."""

from dataclasses import replace
from pathlib import Path

import pytest

from netsurgery.analysis.runs import Experiment
from netsurgery.reproduction import surgeon, surgeon_claims
from tests.support.experiments import run_of

DATA = ("svhn", "cifar10", "cifar100", "emnist-byclass", "emnist-digits")


def pair(dataset, baseline, found, seed=6, topology="surgeon-small", **given):
    given = {"dataset": dataset, "topology": topology} | given
    size = {"parameters": given.pop("parameters", 1000), "spent": given.pop("spent", 100)}
    size["redraws"] = given.pop("redraws", [])
    return [
        run_of("baseline", baseline, seed, **given),
        run_of("surgeon", found, seed, **given, **size),
    ]


def sixfold(*accuracies, **given):
    given = {"original": "cifar10", "augmentation": "sixfold"} | given
    return pair("cifar10-standard", *accuracies, **given)


def rows(frame):
    return {row["dataset"]: row for row in frame.to_dict("records")}


def judged(frame):
    return {row["claim"]: (row["here"], row["verdict"]) for row in frame.to_dict("records")}


def test_each_row_has_the_figures_of_its_own_data():
    runs = [run for name in DATA for run in pair(name, 20, 30)] + sixfold(20, 30)
    found = rows(surgeon.accuracies(runs, surgeon.JOURNAL))
    published = {name: row["paper baseline"] for name, row in found.items()}
    known = {name: value for name, value in published.items() if value == value}
    assert known == pytest.approx(
        {"SVHN": 20, "CIFAR-100": 12, "EMNIST": 67, "CIFAR-10 (cifar10-standard), sixfold": 28}
    )
    assert set(published) - set(known) == {"CIFAR-10", "EMNIST digits"}
    assert "62 classes" in surgeon.notes(runs)
    assert surgeon.notes(pair("svhn", 20, 30)) == ""


def test_regressions_are_not_in_the_papers_tables():
    found = run_of("surgeon", 40, topology="surgeon-small")
    other = run_of("surgeon", 40, 7, topology="surgeon-small")
    regression = replace(other, summary={**other.summary, "test_accuracy": None})
    experiment = Experiment(1, [found, regression], Path("nowhere"))
    assert surgeon.surgeon_runs(experiment) == [found]


def test_the_versions_of_the_text_have_runs_of_their_own():
    runs = [run for name in DATA for run in pair(name, 20, 30, spent=200, redraws=[1, 0])]
    runs += sixfold(20, 30, spent=400, redraws=[2, 1])
    assert {run.dataset for run in surgeon.of_iclr(runs)} == {"svhn", "cifar10-standard"}
    assert set(rows(surgeon.accuracies(surgeon.of_iclr(runs), surgeon.ICLR))) == {
        "SVHN",
        "CIFAR-10 (cifar10-standard), sixfold",
    }
    journal, iclr = (
        judged(each(runs, 1)) for each in (surgeon_claims.journal, surgeon_claims.iclr)
    )
    assert journal["Total epochs of a search"][0].startswith("200.0 epochs")
    assert iclr["Total epochs of a search"][0].startswith("300.0 epochs")
    assert journal["Re-draws per decision point"][0].startswith("0.50")
    assert iclr["Re-draws per decision point"][0].startswith("1.00")


def test_rescued_runs_are_those_above_all_baselines():
    runs = [
        run
        for seed, found in enumerate((54, 56, 21, 19, 20, 20, 20))
        for run in pair("svhn", 20, found, seed)
    ]
    found = judged(surgeon_claims.iclr(runs, 1))
    assert found["SVHN, small: a part of the runs is rescued, the others stay at the baseline"] == (
        "29 % (2 of 7)",
        "holds",
    )
    rescued, verdict = found["SVHN, small: validation accuracy of the rescued runs"]
    assert rescued.startswith("55.0 %")
    assert verdict == "holds"


def test_a_reduction_counts_at_the_accuracy_of_the_baseline():
    runs = pair("svhn", 70, 70, 1, parameters=860) + pair("svhn", 70, 69, 2, parameters=500)
    claim = "It reduces networks by almost 15 % at the baseline's accuracy"
    assert judged(surgeon_claims.journal(runs, 1))[claim] == (
        "in 1 of 2 searches, at most 14 %",
        "holds",
    )


def test_claims_work_without_runs_of_their_data():
    for table in (surgeon_claims.journal([], 1), surgeon_claims.iclr([], 1)):
        assert set(table["verdict"]) == {"cannot be said"}


@pytest.mark.parametrize(
    ("small", "found", "here", "verdict"),
    [
        (20, 54, "most on SVHN small: 170.0 % (n = 1)", "cannot be said"),  # one run says nothing
        (60, 62, "no start is insufficient", "cannot be said"),
    ],
)
def test_starts_are_insufficient_beside_others(small, found, here, verdict):
    runs = pair("svhn", small, found) + pair("svhn", 70, 80, topology="surgeon-large")
    claim = "Insufficient starts gain more than 40 % of their accuracy"
    assert judged(surgeon_claims.journal(runs, 1))[claim] == (here, verdict)


def test_an_insufficient_start_that_gains_little_is_against_the_claim():
    runs = pair("svhn", 70, 80, topology="surgeon-large")
    runs += [run for seed in range(4) for run in pair("svhn", 20, 21 + seed / 10, seed)]
    claim = "Insufficient starts gain more than 40 % of their accuracy"
    assert judged(surgeon_claims.journal(runs, 1))[claim][1] == "does not hold"
