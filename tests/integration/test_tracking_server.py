"""MLflow on a real server, on a real PostgreSQL: whole, late, silent, or gone."""

import json
import multiprocessing
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from urllib.parse import urlsplit

import pytest
import requests
from mlflow import MlflowClient

from netsurgery.cli import main
from netsurgery.storage.files import read_json
from netsurgery.storage.mlflow_sqlite import DIGEST
from netsurgery.tracking.state import TrackingState, line
from tests.support import servers
from tests.support.servers import PASSWORD
from tests.support.tracked_search import Made, example

pytestmark = pytest.mark.skipif(
    servers.POSTGRES is None, reason="needs PostgreSQL (Debian: apt-get install postgresql)"
)
CHROMIUM = shutil.which("chromium")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The address of an MLflow server."""
    pytest.importorskip("psycopg2")
    folder = tmp_path_factory.mktemp("server")
    with servers.postgres() as database, servers.mlflow(database, folder) as address:
        yield address


@pytest.fixture
def results(tmp_path):
    return tmp_path / "results"


def held(address, experiment):
    """How many runs, metric points, and logged models an experiment has."""
    client = MlflowClient(address)
    found = client.get_experiment_by_name(experiment)
    runs = client.search_runs([found.experiment_id], max_results=1000)
    points = sum(
        len(client.get_metric_history(run.info.run_id, metric))
        for run in runs
        for metric in run.data.metrics
    )
    return len(runs), points, len(client.search_logged_models([found.experiment_id]))


def told(address, experiment, *searches):
    for made in searches:
        made.track("00", "01", "02", "final", uri=address, experiment=experiment)


def test_counts_are_the_same_however_a_server_came_to_know_of_a_search(server, results):
    made, where = example(results), {"uri": server}
    marker = made.track("00", "01", "02", "final", **where, experiment="clean")
    clean = held(server, "clean")
    assert clean == (marker["runs"], marker["points"], 1)

    made.track("final", **where, experiment="clean")
    assert held(server, "clean") == clean

    fork = multiprocessing.get_context("fork")
    for seconds in (0.3, 0.6, 1.2):
        job = fork.Process(target=made.track, args=("final",), kwargs=where | {"experiment": "cut"})
        job.start()
        time.sleep(seconds)
        os.kill(job.pid, signal.SIGKILL)
        job.join()
    made.track("final", **where, experiment="cut")
    assert held(server, "cut") == clean

    shutil.rmtree(made.folder.generation(2))
    made.generation(2, 0.75, 0.7)
    made.finish(2)
    made.track("02", "final", **where, experiment="clean")
    assert held(server, "clean") == clean

    other = Made(results, name="t")
    other.generation(1, 0.6, 0.7, None)
    other.generation(2, 0.75, 0.7)
    other.finish(2)
    both = [
        fork.Process(target=told, args=(server, "both", searched)) for searched in (made, other)
    ]
    for job in both:
        job.start()
    for job in both:
        job.join()
    assert held(server, "both") == tuple(2 * count for count in clean)


@pytest.fixture
def calls(tmp_path, monkeypatch):
    """Gives the calls to servers since it was asked last, those of forked processes too."""
    written, request = tmp_path / "calls", requests.Session.request

    def noted(session, method, url, **options):
        with written.open("a") as file:
            file.write(f"{urlsplit(url).path.partition('/mlflow/')[2]}\n")
        return request(session, method, url, **options)

    def since():
        found = written.read_text().split()
        written.unlink()
        return found

    monkeypatch.setattr(requests.Session, "request", noted)
    return since


def test_a_server_is_asked_only_for_what_digests_do_not_tell(server, results, calls):
    made, where = example(results), {"uri": server, "experiment": "asked"}
    made.track("00", "01", "02", **where)
    calls()
    made.track("final", **where)
    assert "runs/log-batch" in calls()
    counts = held(server, "asked")
    calls()
    made.track("final", **where)
    known = ["experiments/get-by-name", "logged-models/search", "runs/get", "runs/search"]
    assert sorted(calls()) == known
    client = MlflowClient(server)
    experiment = client.get_experiment_by_name("asked").experiment_id
    (run,) = client.search_runs([experiment], "attributes.run_name = 'g01c00'")
    client.set_tag(run.info.run_id, DIGEST, "")
    calls()
    made.track("final", **where)
    assert calls().count("metrics/get-history") == len(run.data.metrics)
    assert held(server, "asked") == counts


def test_a_run_that_was_told_by_half_is_completed(server, results):
    """As by a job that was killed behind one of several calls; its digest would be the last."""
    made, where = example(results), {"uri": server, "experiment": "half"}
    made.track("final", **where)
    counts, client = held(server, "half"), MlflowClient(server)
    experiment = client.get_experiment_by_name("half").experiment_id
    (run,) = client.search_runs([experiment], "attributes.run_name = 'g01c00'")
    histories = [client.get_metric_history(run.info.run_id, name) for name in run.data.metrics]
    for part in (0, 1, 3, 5):
        client.delete_run(run.info.run_id)
        tags = {name: value for name, value in run.data.tags.items() if name != DIGEST}
        run = client.create_run(experiment, run.info.start_time, tags, "g01c00")
        client.log_batch(run.info.run_id, metrics=[p for h in histories[:part] for p in h])
        made.track("final", **where)
        assert held(server, "half") == counts, part
        (whole,) = client.search_runs([experiment], "attributes.run_name = 'g01c00'")
        assert whole.info.run_id == run.info.run_id
        assert whole.info.status == "FINISHED"
        run = whole


def test_searches_of_the_same_name_in_other_folders_are_left_alone(server, tmp_path):
    mine, theirs = example(tmp_path / "mine"), example(tmp_path / "theirs")
    told(server, "shared", mine, theirs)
    assert held(server, "shared")[0] == 2 * 7


def test_a_new_store_is_told_all_by_a_command(server, results, monkeypatch, capsys):
    made = example(results)
    marker = made.track("final")
    arguments = ["netsurgery", "track", str(results), "--uri", server, "--experiment", "new"]
    monkeypatch.setattr("sys.argv", arguments)
    with pytest.raises(SystemExit) as ended:
        main.main()
    assert not ended.value.code
    assert capsys.readouterr().out == f"s/seed0: 7 runs, {marker['points']} points\n"
    assert held(server, "new") == (7, marker["points"], 1)


def test_a_registered_model_gets_one_version_of_a_search(server, results):
    made = example(results)
    for _ in range(2):
        made.track("final", uri=server, experiment="registering", registered_model="digits")
    client = MlflowClient(server)
    (version,) = client.search_model_versions("name = 'digits'")
    run = client.get_run(version.run_id)
    assert run.info.run_name == "s/seed0"
    assert version.tags["netsurgery.search"] == "s"
    files = {file.path for file in client.list_artifacts(version.run_id)}
    assert {"lineage.csv", "final"} <= files


def test_a_server_that_is_gone_loses_nothing(results, capfd):
    address = f"http://127.0.0.1:{servers.free_port()}"
    made = example(results)
    marker = made.track("00", "01", "02", "final", uri=address)
    assert set(marker) == {"pending"}
    ledger = TrackingState(results)
    assert set(ledger.pending()) == {"s/seed0"}
    said = line(results)
    assert said.startswith(f"MLflow: {address} does not answer; the next run, or make track")
    assert "\n" not in said
    assert "s/seed0" in said
    assert "Traceback" not in capfd.readouterr().err
    before = ledger.again("s/seed0")
    made.track("final")
    assert line(results) is None
    assert ledger.again("s/seed0") == before + 1  # for the store that was made


def test_a_server_that_never_answers_is_given_up_once_for_all(results):
    made = example(results)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        made.track("00", "01", "02", "final", uri=address, timeout=0.5)
        silent.settimeout(0)
        silent.accept()
        with pytest.raises(BlockingIOError):
            silent.accept()  # there was no second attempt
    assert "took more than" in line(results)


def test_credentials_are_nowhere(server, results, monkeypatch, capfd):
    made = example(results)
    inside = server.replace("://", f"://somebody:{PASSWORD}@")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", inside)
    assert "runs" in made.track("final", experiment="secret")
    gone = f"http://somebody:{PASSWORD}@127.0.0.1:{servers.free_port()}"
    database = f"postgresql://somebody:{PASSWORD}@127.0.0.1:{servers.free_port()}/mlflow"
    for uri in (gone, database):
        monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
        assert "pending" in made.track("final")
        assert "127.0.0.1" in line(results)
        assert PASSWORD not in line(results)
    shown = capfd.readouterr()
    assert PASSWORD not in shown.out + shown.err
    for path in results.rglob("*"):
        assert not path.is_file() or PASSWORD.encode() not in path.read_bytes(), path


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium (Debian: apt-get install chromium)")
def test_a_browser_shows_searches_and_the_chosen_columns(server, results, tmp_path):
    made = example(results)
    made.track("final", uri=server, experiment="seen")
    experiment = MlflowClient(server).get_experiment_by_name("seen").experiment_id
    address = f"{server}/#/experiments/{experiment}/runs?viewStateShareKey="

    def page(view):
        options = ["--headless", "--no-sandbox", "--disable-gpu", "--window-size=2200,1400"]
        options += [f"--user-data-dir={tmp_path / view}", "--virtual-time-budget=20000"]
        done = subprocess.run(
            [CHROMIUM, *options, "--dump-dom", address + view],
            capture_output=True,
            text=True,
            timeout=servers.PATIENCE,
        )
        return done.stdout

    tree = page("searches")
    assert "s/seed0" in tree
    for column in ("operation", "generation", "parameters", "val_score", "eliminated_in"):
        assert column in tree, column
    best_first = page("candidates")
    assert "add_dense" in best_first
    assert best_first.index(">g02c00<") < best_first.index(">g01c01<")


def test_the_final_model_is_served_as_it_is(server, finished_search, tmp_path):
    """A real search's model, from the registry of the server."""
    folder, settings = finished_search
    ledger = TrackingState(folder.root.parents[1])
    (telling,) = ledger.tellings()
    assert telling["settings"] == settings
    results = folder.root.parents[1]
    arguments = ["track", str(results), "--uri", server, "--experiment", "serving"]
    command = [
        sys.executable,
        "-m",
        "netsurgery.cli.main",
        *arguments,
        "--registered-model",
        "served",
    ]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    with servers.model("models:/served/1", server, tmp_path) as address:
        (digits,) = MlflowClient(server).search_model_versions("name = 'served'")
        example = json.dumps({"inputs": [[[[0]] * 8] * 8, [[[9]] * 8] * 8]}).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{address}/invocations", example, headers)
        with urllib.request.urlopen(request, timeout=servers.PATIENCE) as answer:
            predicted = json.load(answer)["predictions"]
    assert [len(row) for row in predicted] == [10, 10]
    assert [sum(row) for row in predicted] == pytest.approx([1, 1], abs=1e-5)
    assert digits.tags["netsurgery.search"] == "s"


@pytest.fixture(scope="module")
def finished_search(tmp_path_factory):
    """A small search of the workflow, whose server is down at first: it ends all the same."""
    from tests.integration.test_workflow import QUICK, run, search_folder

    folder, port = tmp_path_factory.mktemp("late"), servers.free_port()
    secret = f"http://somebody:{PASSWORD}@127.0.0.1:{port}"
    options = {"budget": 12}
    with servers.pushed("MLFLOW_TRACKING_URI", secret):
        done = run(folder, **options)
        said = [text for text in done.stderr.splitlines() if "does not answer" in text]
        assert len(said) == 1
        assert said[0].startswith("MLflow: http://127.0.0.1:")
        final = search_folder(folder).final
        assert (final / "summary.json").exists()
        assert "pending" in read_json(final / "tracked.json")
        with servers.mlflow(f"sqlite:///{folder}/server.db", folder, port) as address:
            late = run(folder, **options)
            assert "does not answer" not in late.stderr
            marker = read_json(final / "tracked.json")
            assert held(address, "netsurgery")[:2] == (marker["runs"], marker["points"])
            idle = run(folder, **options)
            assert "Nothing to be done" in idle.stderr
    for shown in (done, late, idle):
        assert PASSWORD not in shown.stdout + shown.stderr
    for path in folder.rglob("*"):
        assert not path.is_file() or PASSWORD.encode() not in path.read_bytes(), path
    settings = read_json(folder / "results" / "_tracking" / "s.seed0.json")["settings"]
    assert settings["budget"] == options["budget"] != QUICK["budget"]
    return search_folder(folder), settings
