"""Whole searches of the Surgeon, run as a user runs them."""

import csv
import os
import shutil
import signal
import subprocess
import time

import pytest
import yaml

from netsurgery.reproduction.paper_tables import surgeon_tables
from netsurgery.search.plans import FinalPlan
from netsurgery.storage.files import read_json
from tests.support.experiments import assert_kept_figures_suffice
from tests.support.in_process import assert_same_training, search_in_one_process
from tests.support.workflow_runs import (
    LINEAGE,
    PATIENCE,
    QUICK_SURGEON,
    SUMMARY,
    TRAINED,
    assert_same,
    command,
    environment,
    run,
    search_folder,
    times,
)

pytestmark = pytest.mark.workflow


def configured(folder, **search):
    """Write a config like the quick one; return the arguments that name it."""
    folder.mkdir(exist_ok=True)
    config = folder / "mine.yaml"
    config.write_text(yaml.safe_dump({"searches": {"s": QUICK_SURGEON | search}}))
    return "--configfile", str(config)


def search(folder, *targets, cores=2, **changed):
    return run(folder, *targets, *configured(folder, **changed), cores=cores)


def summary_of(folder):
    return read_json(search_folder(folder).final / "summary.json")


def rows(path):
    with path.open() as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("finished")
    search(folder)
    return folder


@pytest.fixture
def copy(finished, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(finished, folder, symlinks=True)
    return folder


def redone(before, folder):
    """Files of a search that were written again, except logs and MLflow's markers."""
    after = times(folder)
    newer = [name for name in before if after.get(name, 0) > before[name]]
    return [name for name in newer if "tracked" not in name and not name.startswith("logs")]


def test_a_finished_search_has_its_documented_files(finished):
    folder, summary = search_folder(finished), summary_of(finished)
    assert set(SUMMARY) <= set(summary)
    assert summary["algorithm"] == "surgeon"
    assert summary["budget"] is None
    assert summary["generations"] == 2
    assert summary["epochs_trained"] == 6
    assert summary["layers"][-1] == "dense 10 (linear)"
    records = folder.records()
    assert sum(r.epochs_spent for r in records) == pytest.approx(summary["epochs_spent"])
    lineage = rows(folder.lineage)
    assert list(lineage[0]) == LINEAGE
    assert len(lineage) == summary["candidates"]
    by_name = {row["candidate"]: row for row in lineage}
    assert by_name[summary["candidate"]]["eliminated_in"] == ""
    assert all(row["parent"] in by_name for row in lineage if row["operation"])


def test_its_kept_figures_give_the_same_tables_as_its_files(finished, tmp_path):
    assert_kept_figures_suffice(finished / "results", surgeon_tables, tmp_path)


def test_files_explain_every_decision(finished):
    folder = search_folder(finished)
    for plan in folder.plans():
        if isinstance(plan, FinalPlan):
            assert plan.reason == "6 epochs are trained"
            continue
        generation = plan.generation
        steps = folder.generation(generation)
        assert (steps / "singular_values.svg").read_text().startswith("<?xml")
        before = {parent.candidate for parent in plan.parents}
        layers = rows(folder.layers(generation))
        assert (
            {row["branch"] for row in layers}
            == before
            == set(read_json(folder.singular_values(generation)))
        )
        table = rows(folder.recommendations(generation))
        tried = [row for row in table if row["candidate"]]
        assert {row["candidate"] for row in tried} == {child.candidate for child in plan.offspring}
        winners = {
            p["record"]["candidate"] for p in read_json(folder.winners(generation))["parents"]
        }
        assert {row["candidate"] for row in table if row["outcome"] == "branch"} == winners
        # tries that were not needed never ran
        assert len(list(steps.glob("try*/slot*.keras"))) == len(plan.contenders)
        assert len(list(steps.glob("recuperation/*.keras"))) == len(plan.offspring)


def test_the_best_scores_after_recuperation_are_branches(finished):
    folder = search_folder(finished)
    for plan in folder.generations():
        for slot, contenders in plan.contenders.items():
            records = [read_json(folder.record(plan.generation, each)) for each in contenders]
            table = rows(folder.recommendations(plan.generation))
            score = {row["candidate"]: float(row["score"]) for row in table if row["score"]}
            order = sorted((score[r["candidate"]] for r in records), reverse=True)
            rank = int(slot[slot.index("slot") + 4 :])
            trained = read_json(folder.record(plan.generation, slot))
            assert score[trained["candidate"]] == order[rank]
            whole_step = plan.step_batches * plan.generation + 2 * 91
            assert trained["batches_trained"] == whole_step


def test_one_process_trains_to_the_same_weights(finished, tmp_path):
    mine = search_in_one_process(finished, tmp_path, QUICK_SURGEON)
    assert_same_training(finished, mine)


def test_a_second_run_does_nothing(finished):
    before = times(finished)
    assert "Nothing to be done" in search(finished).stderr
    assert times(finished) == before


def test_a_killed_search_resumes_with_the_same_result(finished, tmp_path):
    folder = tmp_path / "killed"
    folder.mkdir()
    log = (folder / "log").open("w")
    for awaited in ("generation01/recuperation/g01c03.json", "generation02/try1/plan.json"):
        arguments = [*command(folder, cores=1), *configured(folder)]
        process = subprocess.Popen(
            arguments, stdout=log, stderr=log, start_new_session=True, env=environment()
        )
        deadline = time.monotonic() + PATIENCE
        while not (search_folder(folder).root / awaited).exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        assert not (search_folder(folder).final / "summary.json").exists()
    search(folder, TRAINED, cores=1)
    assert_same(finished, folder)


@pytest.mark.parametrize(
    "lost",
    [
        ("generation01/try1/plan.json", "generation02/singular_values.json"),
        ("generation01/try1/slot0.json", "generation01/recommendations.csv"),
    ],
)
def test_lost_files_are_regenerated(lost, finished, copy):
    for name in lost:
        (search_folder(copy).root / name).unlink()
    search(copy)
    assert_same(finished, copy)


def test_more_epochs_extend_a_finished_search(finished, copy):
    before = times(copy)
    search(copy, TRAINED, epochs=7)
    assert summary_of(copy)["epochs_trained"] == 7
    new = redone(before, copy)
    assert [
        name for name in new if name.startswith(("generation00", "generation01", "split"))
    ] == []
    assert [n for n in new if n.startswith("generation02") and "try3" not in n] == []


def test_a_search_that_stops_early_can_be_extended(finished, copy):
    """test_stopping covers the conditions; this covers what the DAG makes of them."""
    before = times(copy)
    reached = read_json(search_folder(copy).winners(1))["parents"]
    limit = max(parent["record"]["score"] for parent in reached)
    search(copy, TRAINED, target=limit)
    summary = summary_of(copy)
    assert summary["generations"] == 1
    assert summary["epochs_trained"] == 4
    plans = list(search_folder(copy).plans())
    assert plans[-1].reason == f"val_accuracy reached the target of {limit}"
    assert [n for n in redone(before, copy) if n.startswith(("generation00", "generation01"))] == []
    search(copy, TRAINED)
    assert_same(finished, copy)


def test_an_unsuitable_topology_ends_with_one_line(tmp_path):
    done = run(tmp_path, *configured(tmp_path, topology="cnn-small"), check=False)
    assert done.returncode == 1
    assert "the Surgeon takes dense layers only" in done.stderr
    assert not (tmp_path / "results").exists()
