"""Syncing is idempotent, however often and however interrupted it happens."""

import json
import logging
import socket
import sys

import pytest
from mlflow import MlflowClient

from netsurgery.jobs import __main__ as jobs
from netsurgery.processes.process_exit import WORKFLOW
from netsurgery.search.steps import WARM_UP
from netsurgery.storage.files import read_json, write_json
from netsurgery.storage.mlflow_sqlite import find_damage
from netsurgery.tracking import store
from netsurgery.tracking.mlflow_internals import SqlAlchemyStore
from netsurgery.tracking.state import TrackingState, pending_message
from tests.support.mlflow_store import (
    by_name,
    by_name_and_search,
    client_of,
    dump,
    points_of,
    runs_of,
)
from tests.support.tracked_search import SETTINGS, example

WRITES = {
    SqlAlchemyStore: "create_run delete_run delete_tag log_batch update_run_info set_tag "
    "log_inputs log_outputs create_logged_model finalize_logged_model delete_logged_model",
    MlflowClient: "log_artifact log_model_artifacts create_registered_model create_model_version",
    store: "create_runs",
}


def test_a_search_appears_generation_by_generation(results):
    search = example(results)

    assert search.track("00") == {"runs": 2, "points": 8 + 5 * 2 + 6}
    runs = by_name(results)
    assert set(runs) == {"s/seed0", "g00c00"}
    assert runs["s/seed0"].info.status == "RUNNING"
    assert runs["g00c00"].info.status == "FINISHED"
    parent = runs["s/seed0"].info.run_id

    search.track("01")
    runs = by_name(results)
    assert set(runs) == {"s/seed0", "g00c00", "g01c00", "g01c01", "g01c02"}
    assert runs["s/seed0"].info.run_id == parent
    assert runs["s/seed0"].data.metrics["val_score"] == 0.7
    assert {runs[name].data.tags["mlflow.parentRunId"] for name in runs if name[0] == "g"} == {
        parent
    }
    assert "netsurgery.eliminated_in" not in runs["g01c01"].data.tags

    marker = search.track("02", "final")
    runs = by_name(results)
    assert marker["runs"] == len(runs) == 7
    points = sum(len(points_of(results, run)) for run in runs.values())
    # and the wall time of each, of the search by generation
    assert marker["points"] == points + marker["runs"] + 3
    assert runs["s/seed0"].info.run_id == parent
    assert runs["s/seed0"].info.status == "FINISHED"


def test_syncing_again_changes_nothing(results):
    search, other = example(results), example(results, name="S", seed=0)
    search.track("00", "01", "02", "final")
    other.track("final")
    synced, runs = dump(results), by_name_and_search(results)
    client_of(results).set_tag(runs["s", "g01c00"], "mlflow.note.content", "look at this")
    assert not is_interrupted(search, 0)  # by the first write
    assert by_name_and_search(results) == runs
    client_of(results).delete_tag(runs["s", "g01c00"], "mlflow.note.content")
    assert dump(results) == synced


def test_syncing_in_steps_equals_syncing_at_once(results, empty_store):
    search = example(results)
    search.track("00", "01", "02", "final")
    once = search.copied("once", empty_store)
    once.track("final")
    assert dump(once.results) == dump(results)


def test_another_latency_alone_changes_no_run(results):
    """It is measured, so that the same training gives another one."""
    search = example(results)
    path = search.folder.record(0, WARM_UP)
    record = read_json(path)
    for latency in (0.002, 0.003):
        write_json(path, record | {"latency": latency, "latency_batch32": 2 * latency})
        search.track("00")
        run = by_name(results)["g00c00"]
        assert run.data.metrics["latency"] == 0.002
        assert run.data.metrics["latency_batch32"] == 0.004
        history = client_of(results).get_metric_history(run.info.run_id, "latency")
        assert [(point.value, point.step) for point in history] == [(0.002, 20)]


def test_a_repeated_generation_replaces_the_old_one(results):
    search = example(results)
    search.track("final")
    kept = by_name(results)["g01c00"].info.run_id
    search.settings = search.settings | {"budget": 80}
    search.generation(2, 0.6)
    search.track("02")
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
    """The end of a job in the middle of its work, which our code must not catch."""


def is_interrupted(search, calls, **options):
    """Whether a sync of a finished search needs more writes than the store accepts."""
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
            search.track("final", **options)
        except Interrupted:
            return True
    return False


def test_an_interrupted_sync_is_completed_by_the_next(results, empty_store):
    search = example(results)
    search.track("final")
    search.generation(1, 0.6, 0.65)
    search.generation(2, 0.75, None)
    search.finish(2)
    once = search.copied("once", empty_store)
    once.track("final")
    expected = dump(once.results)
    calls, last = 0, 1
    while is_interrupted(copy := search.copied(f"after{calls}"), calls):
        copy.track("final")
        assert dump(copy.results) == expected
        calls, last = calls + last, calls + 1
    assert calls > 15


def test_an_interrupted_sync_can_be_taken_back(results):
    search = example(results)
    search.track("02")
    expected = dump(results)
    for calls in (0, 1, 3):
        copy = search.copied(f"after{calls}")
        assert is_interrupted(copy, calls)
        assert find_damage(copy.results / "mlflow.db") is None  # incomplete runs have no digest
        copy.track("02")
        assert dump(copy.results) == expected


def test_the_job_writes_nothing_outside_of_the_results(results, tmp_path, monkeypatch):
    search = example(results)
    marker = search.folder.final / "tracked.json"
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


def test_an_unreachable_server_is_logged_and_queued(results, caplog):
    search = example(results)
    with socket.socket() as unused, caplog.at_level(logging.WARNING):
        unused.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{unused.getsockname()[1]}"
        marker = search.track("final", uri=address)
    assert marker == {"pending": f"{address} does not answer"}
    assert [record.message for record in caplog.records] == [f"{address} does not answer"]
    assert set(TrackingState(results).pending()) == {"s/seed0"}
    assert pending_message(results) == (
        f"MLflow: {address} does not answer; the next run, or `make track`, logs s/seed0"
    )
    search.track("final")
    assert pending_message(results) is None
