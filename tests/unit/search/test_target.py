"""The target of a search: when it is reached, and how each algorithm ends there."""

from dataclasses import replace

import pytest

from netsurgery.networks.topologies import build, named
from netsurgery.objectives.checks import SettingError, check
from netsurgery.search.algorithms import ALGORITHMS
from netsurgery.search.arbor import loop as arbor
from netsurgery.search.arbor.plans import is_cooled
from netsurgery.search.ectonas import loop as ectonas
from netsurgery.search.records import Status
from netsurgery.search.surgeon import loop as surgeon
from netsurgery.search.target import Target, describe_target
from tests.support.factories import search, start
from tests.support.fake_trainer import FakeTrainer

PLANNERS = {  # of each algorithm: its loop, what plans in it, and a short search
    "arbor": (arbor, "plan_generation", {"topology": "cnn-tiny", "budget": 100}),
    "ectonas": (
        ectonas,
        "plan_generation",
        {"topology": "cnn-small", "budget": 200, "round_epochs": 1, "rounds": 1},
    ),
    "surgeon": (surgeon, "plan_next", {"topology": "surgeon-small"}),
}


@pytest.mark.parametrize(
    ("objective", "target", "score", "reached"),
    [
        ("val_accuracy", 0.95, 0.95, True),
        ("val_accuracy", 0.95, 0.9499, False),
        ("val_loss", 0.2, 0.2, True),
        ("val_loss", 0.2, 0.21, False),
        ("val_r2", -1, -0.5, True),
        ("val_rmse", 3, 2.5, True),
        ("val_accuracy", 0.95, None, False),
        ("val_accuracy", None, 1.0, False),
    ],
)
def test_a_score_as_good_as_the_target_reaches_it(objective, target, score, reached):
    chosen = Target(objective, target)
    assert chosen.is_reached(score) is reached
    record = replace(start(), score=score)
    assert chosen.reached_by([record]) == (("g00c00",) if reached else ())
    assert chosen.reached_by([replace(record, status=Status.DIVERGED)]) == ()


def run(algorithm, target, seed):
    """The last plan of a search, and the records of its trainer."""
    module, name, short = PLANNERS[algorithm]
    given = {} if target is None else {"target": target}
    chosen = search(algorithm=algorithm, **short, **given)
    trainer = FakeTrainer(build(named(short["topology"]), (8, 8, 1), 10), 100, seed=seed)
    plans, plan_next = [], getattr(module, name)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(module, name, lambda *a: plans.append(plan_next(*a)) or plans[-1])
        ALGORITHMS[algorithm].search(trainer, chosen.settings, seed)
    return plans[-1], trainer.records


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("algorithm", PLANNERS)
def test_a_search_ends_with_the_networks_that_reach_its_target(algorithm, seed):
    plan, records = run(algorithm, 0.6, seed)
    longer, every = run(algorithm, None, seed)
    assert plan.reason == "val_accuracy reached the target of 0.6"
    assert plan.remaining_batches == 0
    assert plan.generation < longer.generation
    trained = [name for name in records if "final" not in name]
    assert {*trained} < {*every}
    scores = [records[parent.model].score for parent in plan.parents]
    assert (max if algorithm == "arbor" else min)(scores) >= 0.6


def test_an_arbor_that_is_not_cooled_ends_no_search():
    """A network whose learning rate is high may be good by chance, and is not finished."""
    plan, records = run("arbor", 1e-6, seed=0)
    assert plan.generation == 2
    assert any(is_cooled(record.step) for record in records.values())


@pytest.mark.parametrize(
    ("objective", "task", "target", "hint"),
    [
        ("val_accuracy", "classification", 95, "at most 1; write 0.95"),
        ("val_accuracy", "classification", 950, "at most 1"),
        ("val_accuracy", "classification", 0, "every network reaches 0"),
        ("val_r2", "regression", 1.5, "at most 1"),
        ("val_rmse", "regression", -1, "at least 0"),
    ],
)
def test_a_target_that_makes_no_sense_is_refused(objective, task, target, hint):
    with pytest.raises(SettingError, match=hint) as caught:
        check({"objective": objective, "target": target}, task, logits=False)
    assert caught.value.where == ("target",)


@pytest.mark.parametrize(
    ("objective", "task", "target"),
    [
        ("val_r2", "regression", -1),
        ("val_loss", "classification", -0.5),
        ("val_mae", "regression", 7),
    ],
)
def test_a_target_within_reach_is_accepted(objective, task, target):
    check({"objective": objective, "target": target}, task, logits=False)


def test_a_summary_says_whether_the_target_was_reached():
    summary = {"objective": "val_accuracy", "val_score": 0.9612}
    assert describe_target(summary) is None
    assert "0.9612, which reaches the target of 0.95" in describe_target(summary | {"target": 0.95})
    assert "did not reach the target of 0.97" in describe_target(summary | {"target": 0.97})
