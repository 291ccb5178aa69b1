"""What becomes of candidates whose training jobs crash, hang or run out of memory.

The jobs are real, and so are the warm server and the signals.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from netsurgery.jobs import ectonas, search
from netsurgery.processes import client
from netsurgery.search.algorithms import read_plan
from netsurgery.search.layout import SearchFolder
from netsurgery.search.plans import FinalPlan, Offspring
from netsurgery.search.records import FAILED_STATUSES, Record, Status
from netsurgery.search.selection import Comparison, SelectionMode, select_winner
from netsurgery.search.steps import WARM_UP
from netsurgery.storage.files import read_json, sha256, write_json
from netsurgery.storage.random_streams import random_stream
from netsurgery.surgery import Mutation, operations
from tests.support import factories
from tests.unit.jobs.test_server import command, data, eventually, server, steps  # noqa: F401 - fixtures

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the fork server is for Linux")
LONG = 10_000_000  # epochs: such a job ends only when it is killed


@pytest.fixture(scope="module")
def trained(server, data, tmp_path_factory):  # noqa: F811
    """The model of an initial network that was trained for an epoch."""
    model = tmp_path_factory.mktemp("trained") / "warm-up.keras"
    subprocess.run(command(data, model), check=True)
    return model


def train_round_command(data, model, output, epochs, limit=0):  # noqa: F811
    """The command that trains a model for another round."""
    words = command(data, output)
    start = words.index("train_initial_network")
    settings = json.dumps(json.loads(words[words.index("--settings") + 1]) | {"greediness": 1.0})
    common = ["--data", str(data), "--split", str(data / "split.npz"), "--seed", "0"]
    return [
        *words[:start],
        *("--time-limit", str(limit), "train_round", *common, "--settings", settings),
        *("--models", str(model), "--mode", "greedy", "--epochs", str(epochs)),
        *("--later-rounds", "--step", "phase1/identity/round1/slot0", "--output", str(output)),
    ]


def own_jobs(process):
    """The processes of jobs that a client runs without a server."""
    found = []
    for task in Path(f"/proc/{process}/task").iterdir():
        with contextlib.suppress(OSError):
            found += map(int, (task / "children").read_text().split())
    return found


@pytest.mark.parametrize(
    ("by", "status"), [(signal.SIGSEGV, Status.CRASHED), (signal.SIGKILL, Status.OUT_OF_MEMORY)]
)
def test_a_job_that_crashes_twice_is_recorded_as_failed(
    server, data, trained, tmp_path, by, status  # noqa: F811
):  # fmt: skip
    output = tmp_path / "slot0.keras"
    process = subprocess.Popen(
        train_round_command(data, trained, output, LONG), stderr=subprocess.PIPE, text=True
    )
    assert eventually(lambda: steps(server.pid))
    os.kill(steps(server.pid)[0], by)
    assert eventually(lambda: own_jobs(process.pid))
    time.sleep(0.5)
    os.kill(own_jobs(process.pid)[0], by)
    _, said = process.communicate(timeout=100)
    assert process.returncode == 0
    assert f"{status} (exit code {128 + by}): retrying in a new process" in said
    assert f"{status}: the candidate is recorded as failed, the search continues" in said
    before, record = read_json(trained.with_suffix(".json")), read_json(output.with_suffix(".json"))
    assert (record["status"], record["score"]) == (status, None)
    assert output.read_bytes() == trained.read_bytes()
    assert record["model_sha256"] == sha256(output)
    assert record["batches_trained"] == before["batches_trained"]
    # untrained batches count as spent, or a search in which everything fails would never end
    assert record["batches_spent"] == LONG * before["batches_per_epoch"]


def test_a_retried_job_gives_the_same_model(
    server, data, trained, tmp_path  # noqa: F811
):  # fmt: skip
    process = subprocess.Popen(train_round_command(data, trained, tmp_path / "killed.keras", 300))
    assert eventually(lambda: steps(server.pid))
    os.kill(steps(server.pid)[0], signal.SIGKILL)
    assert process.wait(100) == 0
    subprocess.run(train_round_command(data, trained, tmp_path / "left.keras", 300), check=True)
    assert (tmp_path / "killed.keras").read_bytes() == (tmp_path / "left.keras").read_bytes()


def test_a_stopped_job_ends_at_its_time_limit(
    server, data, trained, tmp_path  # noqa: F811
):  # fmt: skip
    output = tmp_path / "slot0.keras"
    process = subprocess.Popen(train_round_command(data, trained, output, LONG, limit=4))
    assert eventually(lambda: steps(server.pid))
    (step,) = steps(server.pid)
    os.kill(step, signal.SIGSTOP)  # a stopped process cannot end itself
    assert process.wait(100) == 0
    assert read_json(output.with_suffix(".json"))["status"] == "timed_out"
    assert eventually(lambda: step not in steps(server.pid))


def test_a_failed_offspring_has_a_record_and_no_model(
    server, data, trained, tmp_path  # noqa: F811
):  # fmt: skip
    mutation = Mutation(operations.ADD_UNITS, 1)
    offspring = Offspring("g01c00", 1, "g00c00", mutation, parameters=1, batches=7)
    words = train_round_command(data, trained, tmp_path / "g01c00.keras", 1)
    words = words[: words.index("--models")]
    words[words.index("train_round")] = "train_offspring"
    operating = json.dumps({"removal_rule": "svd", "calibration_samples": 10, "copy_noise": 0})
    words += ["--parent", str(trained), "--offspring", json.dumps(offspring.to_json())]
    words += ["--surgery", operating, "--step", "recuperation", "--epochs", "1", "--later-rounds"]
    words += ["--output", str(tmp_path / "g01c00.keras"), "--failure", Status.CRASHED]
    subprocess.run(words, check=True)
    record = Record.from_json(read_json(tmp_path / "g01c00.json"))
    assert (record.status, record.score, record.history) == (Status.CRASHED, None, ())
    assert (record.parent, record.batches_spent) == ("g00c00", 7)
    assert record.parameters > read_json(trained.with_suffix(".json"))["parameters"]
    assert (tmp_path / "g01c00.keras").read_bytes() == b""


def test_an_untrainable_initial_network_ends_the_search(
    server, data, tmp_path  # noqa: F811
):  # fmt: skip
    words = [*command(data, tmp_path / "a.keras"), "--failure", Status.OUT_OF_MEMORY]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "the initial network cannot be trained: out_of_memory" in done.stderr


def test_out_of_memory_has_its_own_exit_code():
    import tensorflow as tf

    from netsurgery.jobs.training_commands import exit_when_out_of_memory

    for error in (MemoryError("x"), tf.errors.ResourceExhaustedError(None, None, "too large")):
        with pytest.raises(SystemExit) as end, exit_when_out_of_memory():
            raise error
        assert end.value.code == client.OUT_OF_MEMORY
    failures = [code for code in range(256) if code in client.FAILURES]
    assert failures == [75, 132, 134, 135, 136, 137, 139]
    assert set(client.FAILURES.values()) == set(FAILED_STATUSES)


@pytest.mark.parametrize("status", FAILED_STATUSES)
def test_a_generation_of_failures_keeps_its_parents(tmp_path, status):
    settings = dict(factories.search(topology="ff-small", budget=60).settings)
    folder = SearchFolder(tmp_path / "results" / "s" / "seed0")
    start = replace(factories.start("ff-small", (8, 8, 1), 10), history=factories.history(0.5))
    write_json(folder.record(0, WARM_UP), start.to_json())
    search.init_search(folder)
    number = 0
    while True:
        number += 1
        budget = ectonas.generation_budget(folder, number, settings, 0)
        path = folder.plan(number)
        ectonas.plan_generation(folder.winners(number - 1), number, settings, 0, budget, path)
        planned = read_plan(path)
        if isinstance(planned, FinalPlan):
            break
        for child in planned.offspring:
            failed = replace(start, candidate=child.candidate, status=status, score=None)
            failed = replace(failed, history=(), batches_spent=child.batches)
            write_json(folder.record(number, f"recuperation/{failed.candidate}"), failed.to_json())
        for slot in planned.contenders:
            write_json(folder.record(number, slot), replace(failed, batches_spent=0).to_json())
        search.select_parents(folder, number, settings, 0)
        parents = read_json(folder.winners(number))["parents"]
        assert [parent["record"]["candidate"] for parent in parents] == ["g00c00"]
    assert 2 <= number < 100


def test_random_selection_never_draws_a_failure():
    """Random mode draws among candidates that did not fail."""
    comparison = Comparison("val_accuracy", greediness=1.0, score_window=3)
    intact = factories.start(history=factories.history(0.5))
    failed = replace(intact, status=Status.CRASHED, score=None, history=())
    for seed in np.arange(10):
        drawn = select_winner(
            [failed, intact], SelectionMode.RANDOM, comparison, random_stream(int(seed), "x")
        )
        assert drawn == 1
