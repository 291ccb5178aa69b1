"""MLflow shows what the records say, however often and however interrupted it is told."""

import json
import multiprocessing
import shutil
import sys

import pytest
from mlflow import MlflowClient
from mlflow.entities import ViewType
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
from sqlalchemy import event
from sqlalchemy.engine import Engine

from netsurgery.jobs import __main__ as jobs
from netsurgery.processes.process_exit import WORKFLOW
from netsurgery.storage.files import read_json
from netsurgery.storage.mlflow_sqlite import find_damage
from netsurgery.tracking import bulk, sync, uri
from tests.support.tracked_search import BASELINE, SETTINGS, Made, example

WRITES = {
    SqlAlchemyStore: "create_run delete_run delete_tag log_batch update_run_info set_tag "
    "log_inputs log_outputs create_logged_model finalize_logged_model delete_logged_model",
    MlflowClient: "log_artifact log_model_artifacts create_registered_model create_model_version",
    bulk: "create",
}


def client_of(results):
    return MlflowClient(tracking_uri=f"sqlite:///{results}/mlflow.db")


def runs_of(results, view=ViewType.ACTIVE_ONLY):
    client = client_of(results)
    experiments = [experiment.experiment_id for experiment in client.search_experiments()]
    return list(client.search_runs(experiments, run_view_type=view, max_results=1000))


def points_of(results, run):
    """All metric points of a run, duplicates too, without those that are times."""
    client = client_of(results)
    return sorted(
        (point.key, point.step, point.value)
        for key in run.data.metrics
        for point in client.get_metric_history(run.info.run_id, key)
        if key != "wall_seconds"
    )


def dump(results):
    """All that the store shows, times apart, and with names for the ids of runs."""
    runs = runs_of(results)
    names = {run.info.run_id: run.info.run_name for run in runs}
    shown = []
    for run in runs:
        tags = run.data.tags.copy()
        if "mlflow.parentRunId" in tags:
            tags["mlflow.parentRunId"] = names[tags["mlflow.parentRunId"]]
        content = [run.info.status, tags, run.data.params, points_of(results, run)]
        shown.append(json.dumps(content, sort_keys=True))
    return sorted(shown)


def by_name(results):
    runs = runs_of(results)
    found = {run.info.run_name: run for run in runs}
    assert len(found) == len(runs)
    return found


def by_name_and_search(results):
    return {
        (run.data.tags["netsurgery.search"], run.info.run_name): run.info.run_id
        for run in runs_of(results)
    }


@event.listens_for(Engine, "connect")
def hurry(connection, _):
    """Leave syncing to the system: it is most of the time that these tests take."""
    connection.execute("PRAGMA synchronous=OFF")


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory):
    """An empty store: setting one up takes seconds."""
    results = tmp_path_factory.mktemp("empty")
    place = uri.TrackingURI.find(None, results)
    sync.open_store(place, "netsurgery", results)
    return results / "mlflow.db"


@pytest.fixture
def results(tmp_path, empty_store):
    folder = tmp_path / "results"
    folder.mkdir()
    shutil.copyfile(empty_store, folder / "mlflow.db")
    return folder


def test_an_experiment_that_another_makes_at_the_same_moment_is_taken(results, monkeypatch):
    place, answers = uri.TrackingURI.find(None, results), [None]
    get = MlflowClient.get_experiment_by_name
    made = sync.open_store(place, "shared", results).experiment
    late = lambda client, name: answers.pop() if answers else get(client, name)  # noqa: E731
    monkeypatch.setattr(MlflowClient, "get_experiment_by_name", late)
    assert sync.open_store(place, "shared", results).experiment == made
    assert not answers


def test_a_search_appears_generation_by_generation(results):
    made = example(results)

    assert made.track("00") == {"runs": 2, "points": 5 + 5 * 2 + 3}
    runs = by_name(results)
    assert set(runs) == {"s/seed0", "g00c00"}
    assert runs["s/seed0"].info.status == "RUNNING"
    assert runs["g00c00"].info.status == "FINISHED"
    parent = runs["s/seed0"].info.run_id

    made.track("01")
    runs = by_name(results)
    assert set(runs) == {"s/seed0", "g00c00", "g01c00", "g01c01", "g01c02"}
    assert runs["s/seed0"].info.run_id == parent
    assert runs["s/seed0"].data.metrics["val_score"] == 0.7
    assert {runs[name].data.tags["mlflow.parentRunId"] for name in runs if name[0] == "g"} == {
        parent
    }
    assert "netsurgery.eliminated_in" not in runs["g01c01"].data.tags

    marker = made.track("02", "final")
    runs = by_name(results)
    assert marker["runs"] == len(runs) == 7
    points = sum(len(points_of(results, run)) for run in runs.values())
    # and the wall time of each, of the search by generation
    assert marker["points"] == points + marker["runs"] + 3
    assert runs["s/seed0"].info.run_id == parent
    assert runs["s/seed0"].info.status == "FINISHED"


def test_the_run_of_a_search_holds_settings_progress_and_summary(results):
    made = example(results)
    made.track("final")
    run = by_name(results)["s/seed0"]
    params, tags, metrics = run.data.params, run.data.tags, run.data.metrics
    assert (params["budget"], params["topology"], params["seed"]) == ("60", "ff-small", "0")
    assert params["recuperation.add_conv_cell"] == "0.25"
    assert set(SETTINGS) - {"seeds", "recuperation"} < set(params)
    assert (params["layers"], params["data.samples"]) == (
        "flatten | dense 10 (relu) | dense 10 (softmax)",
        "1797",
    )
    summary = read_json(made.folder.final / "summary.json")
    numbers = {k: v for k, v in summary.items() if isinstance(v, int | float)}
    for setting in ("seed", "budget", "greediness"):
        del numbers[setting]
    assert metrics == numbers | {"wall_seconds": 0.0}
    assert tags["netsurgery.winner"] == "g02c00"
    assert tags["netsurgery.layers"] == "flatten | dense 10 (relu) | dense 10 (softmax)"
    points = points_of(results, run)
    spent = [(step, value) for key, step, value in points if key == "epochs_spent"]
    assert spent == [(0, 2.0), (1, 5.3), (2, 7.5), (3, 8.0)]


def test_the_run_of_a_candidate_holds_its_surgery_and_its_history_by_batches(results):
    example(results).track("final")
    runs = by_name(results)
    run = runs["g01c01"]
    assert run.data.params == {
        "generation": "01",
        "parent": "g00c00",
        "operation": "add_dense",
        "position": "1",
        "layers": "flatten | dense 10 (relu) | dense 10 (softmax)",
    }
    assert [point for point in points_of(results, run) if point[0] != "val_loss"] == [
        ("accuracy", 21, 0.9),
        ("accuracy", 31, 0.9),
        ("epoch", 21, 2.1),
        ("epoch", 31, 3.1),
        ("loss", 21, 0.3),
        ("loss", 31, 0.3),
        ("parameters", 31, 760.0),
        ("val_accuracy", 21, 0.5),
        ("val_accuracy", 31, 0.7),
        ("val_score", 31, 0.7),
    ]
    said = {
        name: [run.data.tags.get(f"netsurgery.{tag}") for tag in ("status", "outcome", "selected")]
        for name, run in runs.items()
    }
    assert said.pop("s/seed0") == ["ok", None, None]
    assert said == {
        "g00c00": ["ok", "winner", None],
        "g01c00": ["ok", "eliminated", None],
        "g01c01": ["ok", "winner", None],
        "g01c02": ["diverged", "eliminated", None],
        "g02c00": ["ok", "winner", "true"],
        "g02c01": ["ok", "eliminated", None],
    }
    assert (
        runs["g01c02"].data.tags["netsurgery.eliminated_in"] == "g01/phase1/add_dense/round1/slot2"
    )
    assert runs["g01c02"].info.status == "FAILED"
    assert "val_score" not in runs["g01c02"].data.metrics
    assert max(step for key, step, *_ in points_of(results, runs["g02c00"])) == 47


def test_a_baseline_longer_than_a_batch_of_points(results):
    made = Made(results, "plain", settings=BASELINE, epochs=200)
    made.finish(0)
    made.track("final")
    runs = by_name(results)
    assert set(runs) == {"plain/seed0", "g00c00"}
    assert len(points_of(results, runs["g00c00"])) == 5 * 201 + 2
    assert runs["plain/seed0"].data.metrics["epochs_spent"] == 200.5


def test_telling_again_changes_nothing(results):
    made, other = example(results), example(results, name="S", seed=0)
    made.track("00", "01", "02", "final")
    other.track("final")
    told, runs = dump(results), by_name_and_search(results)
    client_of(results).set_tag(runs["s", "g01c00"], "mlflow.note.content", "look at this")
    assert not is_interrupted(made, 0)  # by the first write
    assert by_name_and_search(results) == runs
    client_of(results).delete_tag(runs["s", "g01c00"], "mlflow.note.content")
    assert dump(results) == told


def test_what_is_told_in_steps_equals_what_is_told_at_once(results, empty_store):
    made = example(results)
    made.track("00", "01", "02", "final")
    once = made.copied("once", empty_store)
    once.track("final")
    assert dump(once.results) == dump(results)


def test_a_generation_done_anew_replaces_the_old_one(results):
    made = example(results)
    made.track("final")
    kept = by_name(results)["g01c00"].info.run_id
    made.settings = made.settings | {"budget": 80}
    made.generation(2, 0.6)
    made.track("02")
    runs = by_name(results)
    assert set(runs) == {"s/seed0", "g00c00", "g01c00", "g01c01", "g01c02", "g02c00"}
    assert runs["g01c00"].info.run_id == kept
    assert runs["g02c00"].data.metrics["val_score"] == 0.6
    assert "netsurgery.selected" not in runs["g02c00"].data.tags
    assert runs["s/seed0"].info.status == "RUNNING"
    assert "test_score" not in runs["s/seed0"].data.metrics
    assert runs["s/seed0"].data.params["budget"] == "80"
    parent = runs["s/seed0"].info.run_id
    assert all(runs[n].data.tags["mlflow.parentRunId"] == parent for n in runs if n[0] == "g")


class Interrupted(BaseException):
    """The end of a job in the midst of its work: nothing of ours may catch it."""


def is_interrupted(made, calls, **options):
    """Tell of the end of a search, with a store that takes so many writes; whether it took all."""
    left = [calls]

    def limited(write):
        def attempt(*arguments, **named):
            if not left[0]:
                raise Interrupted
            left[0] -= 1
            return write(*arguments, **named)

        return attempt

    with pytest.MonkeyPatch.context() as patch:
        for owner, names in WRITES.items():
            for name in names.split():
                patch.setattr(owner, name, limited(getattr(owner, name)))
        try:
            made.track("final", **options)
        except Interrupted:
            return True
    return False


def test_interrupted_anywhere_and_told_again_equals_told_once(results, empty_store):
    made = example(results)
    made.track("final")
    made.generation(1, 0.6, 0.65)
    made.generation(2, 0.75, None)
    made.finish(2)
    once = made.copied("once", empty_store)
    once.track("final")
    expected = dump(once.results)
    calls, last = 0, 1
    while is_interrupted(again := made.copied(f"after{calls}"), calls):
        again.track("final")
        assert dump(again.results) == expected
        calls, last = calls + last, calls + 1
    assert calls > 15


def test_what_an_interrupted_job_told_goes_again_with_its_records(results):
    made = example(results)
    made.track("02")
    expected = dump(results)
    for calls in (0, 1, 3):
        again = made.copied(f"after{calls}")
        assert is_interrupted(again, calls)
        assert find_damage(again.results / "mlflow.db") is None  # no digest says what is not there
        again.track("02")
        assert dump(again.results) == expected


def test_two_processes_may_set_up_one_store(tmp_path, monkeypatch):
    results, elsewhere = tmp_path / "results", tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    searches = [example(results, name=name) for name in ("a", "b")]
    fork = multiprocessing.get_context("fork")
    processes = [fork.Process(target=made.track, args=("final",)) for made in searches]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0]
    assert len(runs_of(results)) == 2 * 7
    for experiment in client_of(results).search_experiments():
        assert experiment.artifact_location.startswith(f"{results}/mlflow-artifacts")
    assert list(elsewhere.iterdir()) == []
    assert {path.name for path in tmp_path.iterdir()} == {"results", "elsewhere"}
    files = {path.name for path in results.iterdir()}
    assert files == {"a", "b", "mlflow.db", "mlflow-artifacts", "_data", "_tracking"}


def test_the_command_writes_a_marker_and_nothing_outside_of_the_results(
    results, tmp_path, monkeypatch
):
    made = example(results)
    marker = made.folder.final / "tracked.json"
    arguments = (
        f"log_search --folder results/s/seed0 --until final --seed 0 --output {marker}".split()
    )
    arguments += ["--tracking", "{}"]
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(WORKFLOW, raising=False)
    monkeypatch.setattr(sys, "argv", ["jobs", *arguments, "--settings", json.dumps(SETTINGS)])
    jobs.main()
    assert read_json(marker)["runs"] == len(runs_of(results)) == 7
    assert [path.name for path in tmp_path.iterdir()] == ["results"]
    assert not (results / "mlruns").exists()
