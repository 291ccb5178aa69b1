"""Rounds joined to one training step: who meets whom stays, and so does what comes of it."""

import json
import subprocess
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netsurgery.config.job_settings import SURGERY
from netsurgery.search.ectonas.bracket import knockout
from netsurgery.search.ectonas.byes import expand_rounds, merge_byes
from netsurgery.search.ectonas.plans import BracketPlan, GenerationBudget
from netsurgery.search.plans import Offspring
from netsurgery.storage.dependencies import TIMES
from netsurgery.storage.files import read_json
from netsurgery.surgery import Mutation, operations
from tests.support.factories import search
from tests.unit.jobs.test_server import command, data, server  # noqa: F401

PARTS = st.sampled_from([0.0, 0.02, 0.1, 0.3, 1.0])


def brackets(offspring, winners, rounds, seed):
    """The contenders of all rounds of two phases, and the winners'."""
    rng = np.random.default_rng(seed)
    born = {f"recuperation/{i}": () for i in range(offspring)}
    cut = offspring // 2
    pools = [(name,) for name in born][:cut], [(name,) for name in born][cut:]
    first = [
        knockout(pool, winners, rounds, f"phase1/{name}", rng)
        for name, pool in zip("ab", pools, strict=True)
    ]
    second = knockout([w for b in first for w in b.winners], winners, rounds, "phase2", rng)
    return born | first[0].slots | first[1].slots | second.slots, second.winners


def planned(joined):
    """As a plan has them."""
    return BracketPlan(
        generation=1,
        parents=(),
        budget=GenerationBudget(),
        batches=0,
        round_epochs=1,
        offspring=(),
        rejected=(),
        rounds=joined.rounds,
        contenders={step: names for step, names in joined.contenders.items() if names},
        winners=joined.winners,
    )


SHAPES = (st.integers(2, 30), st.integers(1, 3), st.integers(1, 4), st.integers(0, 1000))


@given(*SHAPES, PARTS)
def test_who_meets_whom_stays_the_same(offspring, winners, rounds, seed, part):
    contenders, last = brackets(offspring, winners, rounds, seed)
    plan = planned(merge_byes(contenders, last, part))
    assert expand_rounds(plan) == (contenders, list(last))


@given(*SHAPES, PARTS)
def test_a_step_covers_byes_and_is_not_too_long(offspring, winners, rounds, seed, part):
    contenders, last = brackets(offspring, winners, rounds, seed)
    most = part * len(contenders)
    joined = merge_byes(contenders, last, part)
    assert sorted(name for names in joined.rounds.values() for name in names) == sorted(contenders)
    ends = {names[-1]: step for step, names in joined.rounds.items()}
    for step, names in joined.rounds.items():
        assert names[0] == step
        assert all(contenders[after] == (before,) for before, after in pairwise(names))
        assert len(names) == 1 or len(names) <= most
        if len(contenders[step]) == 1:  # it could have been joined, but for its length
            assert len(joined.rounds[ends[contenders[step][0]]]) + 1 > most


def test_all_byes_are_one_step_if_it_may_be_long():
    contenders, last = brackets(2, 1, 3, 0)  # one of each kind: they meet in phase 2 alone
    joined = merge_byes(contenders, last, 1.0)
    assert [len(names) for names in joined.rounds.values()] == [5, 5, 2]
    assert joined.contenders["phase2/round2/slot0"] == ("recuperation/0", "recuperation/1")


ROUNDS = [f"phase1/identity/round{i}/slot0" for i in (1, 2, 3)]
ADAM = {"optimizer": {"adam": {}}, "learning_rate": 0.01, "greediness": 1.0}


def training(kind, data, output, step, more, settings):  # noqa: F811
    """The command of a training step."""
    words = command(data, output, topology="cnn-small")
    start = words.index("train_initial_network")
    given = json.loads(words[words.index("--settings") + 1]) | settings
    common = ["--data", str(data), "--split", str(data / "split.npz"), "--seed", "0"]
    common += ["--settings", json.dumps(given), "--step", step, "--output", str(output)]
    return [*words[:start], kind, *common, *map(str, more)]


@pytest.fixture(scope="module")
def warm(server, data, tmp_path_factory):  # noqa: F811
    """A convolutional network, trained for an epoch with Adam."""
    model = tmp_path_factory.mktemp("warm") / "warm-up.keras"
    words = command(data, model, topology="cnn-small")
    i = words.index("--settings") + 1
    words[i] = json.dumps(json.loads(words[i]) | ADAM)
    subprocess.run(words, check=True)
    return model


def known(path):
    """A record but for its times, and the model's file."""
    record = read_json(path.with_suffix(".json"))
    return {k: v for k, v in record.items() if k not in TIMES}, path.read_bytes()


def matches(models, epochs, then=()):
    return ["--models", *models, "--mode", "greedy", "--epochs", epochs, "--later-rounds", *then]


def test_merged_rounds_give_what_single_rounds_give(warm, data, tmp_path):  # noqa: F811
    before, records = warm, []
    for i, name in enumerate(ROUNDS):
        output = tmp_path / f"{i}.keras"
        subprocess.run(
            training("train_round", data, output, name, matches([before], 2), ADAM), check=True
        )
        before = output
        records.append(known(output)[0])
    whole = tmp_path / "joined.keras"
    more = matches([warm], 2, ROUNDS[1:])
    subprocess.run(training("train_round", data, whole, ROUNDS[0], more, ADAM), check=True)
    record, content = known(whole)
    alone, last = known(before)
    assert content == last
    assert record.pop("batches_spent") == sum(each["batches_spent"] for each in records)
    record.pop("epochs_spent")
    rounds = record.pop("rounds")
    assert list(rounds) == ROUNDS
    for each in records:
        outcome = {"batches": each["batches_spent"], "score": each["score"]}
        assert rounds[each["step"]] == outcome
    assert record == {k: alone[k] for k in record}


def test_a_candidate_that_diverges_trains_no_further(warm, data, tmp_path):  # noqa: F811
    output = tmp_path / "diverged.keras"
    child = Offspring("g01c00", 1, "g00c00", Mutation(operations.IDENTITY), 1, batches=4)
    settings = search(topology="cnn-small").pick(SURGERY)
    more = ["--parent", warm, "--offspring", json.dumps(child.to_json())]
    more += ["--surgery", json.dumps(settings), "--epochs", 2, "--later-rounds", *ROUNDS]
    wild = {"learning_rate": 1e30}
    subprocess.run(
        training("train_offspring", data, output, "recuperation", more, wild), check=True
    )
    record, _ = known(output)
    assert (record["status"], record["step"]) == ("diverged", ROUNDS[-1])
    assert list(record["rounds"]) == ["recuperation", *ROUNDS]
    assert [each["batches"] for each in record["rounds"].values()] == [4, 0, 0, 0]
    assert record["batches_spent"] == 4
    assert all(each["score"] is None for each in record["rounds"].values())


def test_a_failure_spends_all_rounds_of_its_step(warm, data, tmp_path):  # noqa: F811
    output = tmp_path / "failed.keras"
    more = [*matches([warm], 2, ROUNDS[1:]), "--failure", "crashed"]
    subprocess.run(training("train_round", data, output, ROUNDS[0], more, ADAM), check=True)
    record, content = known(output)
    assert content == warm.read_bytes()
    assert (record["status"], record["step"]) == ("crashed", ROUNDS[-1])
    each = 2 * record["batches_per_epoch"]
    assert [outcome["batches"] for outcome in record["rounds"].values()] == [each] * 3
    assert record["batches_spent"] == 3 * each
