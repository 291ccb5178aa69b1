"""Whole searches, run as a user runs them."""

import csv
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from benchmarks.faults import compare

from netsurgery.analysis.timelines import timings_of
from netsurgery.search.layout import SearchFolder
from netsurgery.storage.dependencies import Dependencies
from netsurgery.storage.files import CHECKSUMS, read_json, sha256
from netsurgery.workflow.interruption import STOPPED
from tests.support.in_process import assert_same_training, search_in_one_process
from tests.support.workflow_runs import (
    LINEAGE,
    PATIENCE,
    QUICK,
    SUMMARY,
    TRAINED,
    assert_same,
    command,
    contents,
    environment,
    own_data,
    run,
    search_folder,
    times,
)

pytestmark = pytest.mark.workflow


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A finished search; tests that change files use a copy."""
    folder = tmp_path_factory.mktemp("finished")
    run(folder, own_servers=True)
    return folder


@pytest.fixture
def copy(finished, tmp_path):
    """A copy of the finished search with the same file times."""
    folder = tmp_path / "copy"
    shutil.copytree(finished, folder, symlinks=True)
    return folder


def test_a_finished_search_has_its_documented_files(finished):
    folder = search_folder(finished)
    summary = read_json(folder.final / "summary.json")
    assert set(SUMMARY) <= set(summary)
    assert summary["epochs_spent"] <= summary["budget"] == 45
    assert summary["generations"] >= 2
    records = folder.records()
    assert sum(record.epochs_spent for record in records) == pytest.approx(summary["epochs_spent"])
    with folder.lineage.open() as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == LINEAGE
    assert len(rows) == summary["candidates"]
    final = [row for row in rows if row["candidate"] == summary["candidate"]]
    assert final[0]["eliminated_in"] == ""
    by_name = {row["candidate"]: row for row in rows}
    assert all(row["parent"] in by_name for row in rows if row["operation"])
    for record in records:
        assert record.status == "ok"
        assert len(record.model_sha256) == 64


def test_no_search_file_is_half_written(finished):
    root = search_folder(finished).root
    assert not [p for p in root.rglob(".*") if p.is_file()]


LOAD = """
import json, sys
import keras
from sklearn.datasets import load_digits
assert "netsurgery" not in sys.modules
digits = load_digits()
model = keras.models.load_model(sys.argv[1])
predicted = model.predict(digits.images, verbose=0).argmax(1)
print(json.dumps(float((predicted == digits.target).mean())))
"""


def test_the_model_needs_only_keras_and_takes_raw_images(finished, tmp_path):
    model = search_folder(finished).final / "model.keras"
    alone = [sys.executable, "-I", "-c", LOAD, str(model)]
    done = subprocess.run(alone, capture_output=True, text=True, cwd=tmp_path, check=True)
    assert float(done.stdout.splitlines()[-1]) > 0.8


def test_one_process_trains_to_the_same_weights(finished, tmp_path):
    mine = search_in_one_process(finished, tmp_path, QUICK)
    assert_same_training(finished, mine)


def test_a_second_run_does_nothing(finished):
    before = times(finished)
    assert "Nothing to be done" in run(finished).stderr
    assert times(finished) == before


@pytest.fixture(scope="module")
def on_one_core(tmp_path_factory):
    folder = tmp_path_factory.mktemp("one")
    run(folder, TRAINED, cores=1)
    return folder


def test_one_core_gives_the_same_bytes_as_two(finished, on_one_core):
    assert_same(finished, on_one_core)


def test_the_ready_job_with_most_work_behind_it_goes_first(on_one_core):
    jobs = sorted(timings_of(search_folder(on_one_core)), key=lambda job: job.began)
    coming = [job for job in jobs if job.name.startswith("1/")]
    longest = max(job.critical_path for job in coming)
    choices = 0
    while coming:
        unfinished = {job.name for job in coming}
        first, *coming = coming
        ready = [job.critical_path for job in coming if unfinished.isdisjoint(job.depends_on)]
        assert (
            first.critical_path >= max(ready, default=0) - longest / 999
        )  # the resolution of priorities
        choices += len(set(ready)) > 1
    assert choices > 5


def test_a_stopped_search_resumes_with_the_same_result(finished, tmp_path):
    folder = tmp_path / "stopped"
    folder.mkdir()
    log = (folder / "log").open("w")
    stops = {"recuperation/g01c02": signal.SIGINT, "phase2/round1/slot0": signal.SIGKILL}
    for slot, sent in stops.items():
        awaited = search_folder(folder).record(1, slot)
        servers = environment(own_servers=sent == signal.SIGINT)
        process = subprocess.Popen(
            command(folder), stdout=log, stderr=log, start_new_session=True, env=servers
        )
        deadline = time.monotonic() + PATIENCE
        while not awaited.exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        os.killpg(process.pid, sent)
        process.wait()
        assert not (search_folder(folder).final / "summary.json").exists()
        if sent == signal.SIGINT:  # as by Ctrl-C
            said = (folder / "log").read_text()
            assert said.splitlines()[-1] == STOPPED
            assert "Error" not in said
            logs = search_folder(folder).root.rglob("*.log")
            assert not [each for each in logs if "KeyboardInterrupt" in each.read_text()]
    run(folder, TRAINED)
    assert_same(finished, folder)


def test_damage_and_a_wrong_clock_do_not_stop_a_search(finished, tmp_path):
    """A search has planned its first generation when its split, and all dates, get damaged.

    No remaining job requests the file with the checksum of the split.
    """
    plan = search_folder(tmp_path).plan(1).relative_to(tmp_path)
    run(tmp_path, str(plan))
    path = search_folder(tmp_path).root / "split.json"
    path.write_bytes(path.read_bytes()[:-2])
    for each in filter(Path.is_file, tmp_path.rglob("*")):
        os.utime(each, (time.time() + 86_400,) * 2)
    said = run(tmp_path, TRAINED).stderr
    assert "split.json: damaged" in said
    assert "from the future" in said
    assert_same(finished, tmp_path)
    assert "Nothing to be done" in run(tmp_path, TRAINED).stderr


def test_a_deleted_generation_reruns_with_later_ones_only(finished, copy):
    before = times(copy)
    shutil.rmtree(search_folder(copy).generation(2))
    run(copy)
    assert_same(finished, copy)
    after = times(copy)
    redone = {name.split("/")[0] for name in before if after[name] > before[name]}
    assert "generation02" in redone
    assert "final" in redone
    assert not {"generation00", "generation01", "split.npz"} & redone


def test_a_deleted_record_is_regenerated(finished, copy):
    search_folder(copy).record(1, "phase2/round1/slot3").unlink()
    run(copy, TRAINED)
    assert_same(finished, copy)


def test_a_larger_budget_extends_a_finished_search(finished, copy, tmp_path):
    before = times(copy)
    run(copy, TRAINED, budget=62)
    run(tmp_path / "fresh", TRAINED, budget=62)
    assert_same(copy, tmp_path / "fresh")
    after = times(copy)
    kept = [n for n in before if n.startswith(("generation00", "generation01"))]
    assert [name for name in kept if after[name] > before[name] and "tracked" not in name] == []
    assert read_json(search_folder(copy).final / "summary.json")["epochs_spent"] <= 62


@pytest.mark.parametrize("trigger", [(), ("--rerun-triggers", "mtime")])
def test_moved_results_are_compared_with_the_settings(copy, trigger):
    """Snakemake knows nothing of results in a new place, or is told not to look."""
    (copy / "results").rename(copy / "moved")
    moved = (*trigger, "--config", "results=moved")
    assert "Nothing to be done" in run(copy, *moved, "--dry-run").stdout
    line = "moved/s/seed0: learning_rate is 0.1 there, 0.5 in the configuration; the run makes"
    shown = run(copy, *moved, "--dry-run", learning_rate=0.5)
    assert line in shown.stderr
    assert "train_initial_network" in shown.stdout
    folder = SearchFolder(copy / "moved/s/seed0")
    assert folder.complete
    # nothing of the old rate remains, even if a run is asked for a single file
    record = folder.record(0, "warm-up")
    done = run(copy, str(record.relative_to(copy)), *moved, learning_rate=0.5)
    assert line in done.stderr
    assert Dependencies.read(record).settings["learning_rate"] == 0.5
    assert not folder.plan(1).exists()
    assert not (folder.final / "summary.json").exists()


def test_the_test_samples_decide_nothing(finished, copy):
    """With spoilt test images the network stays the same and the test score gets worse.

    The end of the search compares the final model with the images of the source, and so fails.
    """
    data = copy / "results" / "_data" / "digits"
    x = np.load(data / "x.npy")
    with np.load(search_folder(copy).root / "split.npz") as parts:
        x[parts["test"]] = 0
    np.save(data / "x.npy", x)
    description = read_json(data / "data.json")
    description[CHECKSUMS]["x.npy"] = sha256(data / "x.npy")  # or it counts as damaged
    Dependencies.read(data / "data.json").write(data / "data.json", description)
    done = run(copy, check=False)
    assert "model.keras scales or encodes values" in done.stderr
    same, other = search_folder(finished).final, search_folder(copy).final
    assert (same / "network.keras").read_bytes() == (other / "network.keras").read_bytes()
    assert read_json(other / "test.json")["accuracy"] < 0.3


def test_the_command_line_sets_the_results_folder(tmp_path):
    done = run(tmp_path, "--config", "results=elsewhere", "--dry-run", "-p")
    assert "elsewhere/s/seed0" in done.stdout + done.stderr
    assert "digits-plain" not in done.stdout + done.stderr


def test_a_dry_run_writes_nothing(tmp_path):
    run(tmp_path, "--dry-run")
    assert not (tmp_path / "results").exists()


OF_KERAS = {
    "optimizer": {"lamb": {"beta_1": 0.8}},
    "loss": "categorical_focal_crossentropy",
    "objective": "val_auc",
    "extra_metrics": ["f1_score", {"auc": {"num_thresholds": 50}}],
}


def test_changed_data_or_settings_rerun_a_search(tmp_path):
    labels = np.arange(100) % 2
    section = own_data(tmp_path, labels)
    search = {"top": section, "dataset": "pictures", "budget": 6} | OF_KERAS
    run(tmp_path, TRAINED, **search)
    root = search_folder(tmp_path).root
    summary = read_json(root / "final" / "summary.json")
    assert (summary["dataset"], summary["objective"]) == ("pictures", "val_auc")
    assert summary["test_score"] == summary["test_metrics"]["auc"]
    assert 0 <= summary["test_metrics"]["f1_score"] <= 1
    first = contents(tmp_path)
    assert "Nothing to be done" in run(tmp_path, TRAINED, **search).stderr
    section["datasets"]["pictures"]["scaling"] = "standard"
    run(tmp_path, TRAINED, **search)
    second = contents(tmp_path)
    own_data(tmp_path, 1 - labels)
    run(tmp_path, TRAINED, **search)
    third = contents(tmp_path)
    for name in ("split.npz", "final/network.keras"):
        assert len({first[name], second[name], third[name]}) == 3, name


def damaged(path):
    """Flip a bit in the middle of a file and keep its times, as a failing disk does."""
    content, dates = bytearray(path.read_bytes()), path.stat()
    content[len(content) // 2] ^= 16
    path.write_bytes(content)
    os.utime(path, ns=(dates.st_atime_ns, dates.st_mtime_ns))


def test_damaged_files_are_named_and_regenerated(finished, copy):
    folder, results = search_folder(copy), copy / "results"
    spoiled = [
        folder.plan(1),
        folder.model(1, "phase2/round1/slot3"),
        folder.record(1, "recuperation/g01c02"),
        folder.root / "split.npz",
        folder.lineage,
        folder.final / "model.keras",
        results / "_data" / "digits" / "x.npy",
        results / "summary.html",
    ]
    for path in spoiled:
        damaged(path)
    verify = [sys.executable, "-m", "netsurgery.cli.main", "verify", str(results)]
    said = subprocess.run(verify, capture_output=True, text=True)
    assert said.returncode == 1
    named = {line.partition(": damaged (")[0] for line in said.stdout.splitlines()}
    assert named == set(map(str, spoiled))
    done = run(copy)
    for path in spoiled:
        assert f"{path.relative_to(copy)}: damaged (" in done.stderr
    assert_same(finished, copy)
    assert compare.differences(results, finished / "results") == []
    assert subprocess.run(verify, capture_output=True).returncode == 0
    assert "Nothing to be done" in run(copy).stderr


def test_a_deleted_file_is_missed_even_if_no_job_reads_it(copy):
    """A damaged file is removed, so Snakemake has to notice that it is missing."""
    folder = search_folder(copy)
    for path in (
        copy / "results" / "_data" / "digits" / "y.npy",
        folder.root / "split.npz",
        folder.final / "network.keras",
    ):
        kept = path.rename(path.with_name("kept"))
        assert "Nothing to be done" not in run(copy, "--dry-run").stdout, path
        kept.rename(path)
    assert "Nothing to be done" in run(copy, "--dry-run").stdout


def test_a_dry_run_names_damaged_files_and_keeps_them(copy):
    damaged(search_folder(copy).lineage)
    damaged(search_folder(copy).record(1, "recuperation/g01c02"))
    before = times(copy)
    assert "lineage.csv: damaged (" in run(copy, "--dry-run").stderr
    assert times(copy) == before
