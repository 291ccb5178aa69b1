"""Whether a claim holds, does not hold, or cannot be said."""

import math
from pathlib import Path

import pytest

from netsurgery.reproduction import claims, ectonas_claims
from netsurgery.reproduction.claims import Claim, Verdict
from netsurgery.reproduction.statistics import Difference, interval_of_mean
from tests.support.experiments import run_of

GREEDY = "Greedy search beats the baseline in all cases"
SEEDS = "Seeds 13 and 28 fall in line with seed 42"


@pytest.mark.parametrize(
    ("mean", "low", "high", "verdict"),
    [
        (2, 1, 3, Verdict.HOLDS),
        (2, -9, 13, Verdict.HOLDS),  # the paper's claim is on the mean
        (-1, -3, 1, Verdict.OPEN),
        (-1, -3, -0.1, Verdict.FAILS),
        (7, 6, 8, Verdict.FAILS),
    ],
)
def test_a_mean_is_judged_with_its_interval(mean, low, high, verdict):
    assert Claim(0, 5).judge(Difference(mean, low, high, 9)) is verdict


def test_one_run_says_nothing():
    alone = interval_of_mean([3.0])
    assert Claim(0, 5).judge(alone) is Verdict.OPEN
    assert Claim(0, 3).agrees(alone) is Verdict.OPEN


def test_one_case_against_a_claim_on_all_refutes_it():
    good, open_, bad = (Difference(m, m - 1, m + 1, 5) for m in (3, -0.5, -3))
    every = Claim(0, math.inf)
    assert every.judge_all({"a": good}) is Verdict.HOLDS
    assert every.judge_all({"a": good, "b": open_}) is Verdict.OPEN
    assert every.judge_all({"a": good, "b": open_, "c": bad}) is Verdict.FAILS
    assert every.judge_all({}) is Verdict.OPEN


def searches(greedy, baseline, random, seed=42, **given):
    return [
        run_of("ectonas", greedy, seed, mode="greedy", **given),
        run_of("ectonas", random, seed, mode="random", **given),
        run_of("baseline", baseline, seed, **given),
    ]


def table(runs, trials="nothing.csv", scale=1):
    rows = ectonas_claims.table(runs, Path(trials), scale).to_dict("records")
    return {row["claim"]: row for row in rows}


def test_greedy_search_is_compared_by_dataset():
    better = [run for seed in (42, 13, 28) for run in searches(70 + seed / 10, 60, 59, seed)]
    found = table(better)
    assert found[GREEDY]["verdict"] == "holds"
    assert found[GREEDY]["here"] == "MNIST +12.8 points"
    assert found[SEEDS]["verdict"] == "holds"
    worse = [
        run
        for seed in (42, 13, 28)
        for run in searches(40 + seed / 10, 60, 59, seed, dataset="svhn")
    ]
    assert table(better + worse)[GREEDY]["verdict"] == "does not hold"


def test_a_seed_that_deviates_is_seen():
    runs = [run for seed in (42, 13) for run in searches(70, 60, 59, seed)]
    assert table(runs)[SEEDS]["verdict"] == "cannot be said"
    assert table(runs + searches(50, 60, 59, 28))[SEEDS]["verdict"] == "does not hold"


def test_claims_on_epochs_need_full_scale():
    claim = "The final network was trained for 100 to 160 epochs"
    runs = [run for seed in (42, 13) for run in searches(70, 60, 59, seed, budget=1000)]
    assert table(runs)[claim]["verdict"] == "does not hold"
    small = table(runs, scale=0.1)[claim]
    assert (small["here"][:11], small["verdict"]) == ("20.0 epochs", "cannot be said")
    shorter = [run for seed in (42, 13) for run in searches(70, 60, 59, seed, budget=60)]
    assert table(shorter)[claim]["verdict"] == "cannot be said"


def test_claims_on_adult_count_its_searches_only():
    adult = [
        run_of("ectonas", 80, seed, mode="greedy", dataset="adult") for seed in range(3)
    ]  # from dense to dense networks
    found = table(adult + searches(70, 60, 59))
    row = found["Adult: greedy search never crosses to convolutional"]
    assert (row["here"], row["verdict"]) == ("0 of 3 (0 %)", "holds")
    assert found["Adult: in a few cases it crosses to dense"]["here"] == claims.NO_RUNS


def test_pooling_is_compared_with_both_kinds_of_cuts(tmp_path):
    path = tmp_path / "summary.csv"
    path.write_text(
        "pooling,rule,right_after\naverage,structured,0.9\naverage,random,0.8\n"
        "average,random_anywhere,0.2\nmax,structured,0.15\nmax,random,0.8\n"
        "max,random_anywhere,0.14\n"
    )
    rows = table([], path)
    assert (
        rows["Structured pooling keeps more accuracy than random cuts with average pooling"][
            "verdict"
        ]
        == "holds"
    )
    assert rows["It fails with max pooling, where random cuts keep more"]["verdict"] == (
        "cannot be said"
    )
