"""MLflow on a real server with a real PostgreSQL: intact, late, silent, or gone."""

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

import mlflow.store.db.utils
import pytest
import requests
from mlflow import MlflowClient

from netsurgery.cli import main
from netsurgery.storage.files import read_json
from netsurgery.storage.mlflow_sqlite import DIGEST
from netsurgery.tracking.runs import RESULTS
from netsurgery.tracking.state import TrackingState, pending_message
from tests.support import servers
from tests.support.servers import PASSWORD
from tests.support.tracked_search import FakeSearch, example

pytestmark = pytest.mark.skipif(
    servers.POSTGRES is None, reason="needs PostgreSQL (Debian: apt-get install postgresql)"
)
CHROMIUM = shutil.which("chromium")


@pytest.fixture(scope="module")
def database():
    """The URI of a PostgreSQL database."""
    pytest.importorskip("psycopg2")
    with servers.postgres() as uri:
        yield uri


@pytest.fixture(scope="module")
def server_folder(tmp_path_factory):
    """Where the MLflow server keeps its artifacts."""
    return tmp_path_factory.mktemp("server")


@pytest.fixture(scope="module")
def server(server_folder, database):
    """The address of an MLflow server in front of the database."""
    with servers.mlflow(database, server_folder) as address:
        yield address


@pytest.fixture
def results(tmp_path):
    return tmp_path / "results"


def contents(address, experiment):
    """The numbers of runs, metric points and logged models in an experiment."""
    client = MlflowClient(address)
    found = client.get_experiment_by_name(experiment)
    runs = client.search_runs([found.experiment_id], max_results=1000)
    points = sum(
        len(client.get_metric_history(run.info.run_id, metric))
        for run in runs
        for metric in run.data.metrics
    )
    return len(runs), points, len(client.search_logged_models([found.experiment_id]))


def log_all(address, experiment, *searches):
    for search in searches:
        search.track("00", "01", "02", "final", uri=address, experiment=experiment)


def test_counts_do_not_depend_on_how_a_search_was_logged(server, results):
    search, where = example(results), {"uri": server}
    marker = search.track("00", "01", "02", "final", **where, experiment="clean")
    clean = contents(server, "clean")
    assert clean == (marker["runs"], marker["points"], 1)

    search.track("final", **where, experiment="clean")
    assert contents(server, "clean") == clean

    fork = multiprocessing.get_context("fork")
    for seconds in (0.3, 0.6, 1.2):
        job = fork.Process(
            target=search.track, args=("final",), kwargs=where | {"experiment": "cut"}
        )
        job.start()
        time.sleep(seconds)
        os.kill(job.pid, signal.SIGKILL)
        job.join()
    search.track("final", **where, experiment="cut")
    assert contents(server, "cut") == clean

    shutil.rmtree(search.folder.generation(2))
    search.generation(2, 0.75, 0.7)
    search.finish(2)
    search.track("02", "final", **where, experiment="clean")
    assert contents(server, "clean") == clean

    other = FakeSearch(results, name="t")
    other.generation(1, 0.6, 0.7, None)
    other.generation(2, 0.75, 0.7)
    other.finish(2)
    both = [fork.Process(target=log_all, args=(server, "both", each)) for each in (search, other)]
    for job in both:
        job.start()
    for job in both:
        job.join()
    assert contents(server, "both") == tuple(2 * count for count in clean)


@pytest.fixture
def calls(tmp_path, monkeypatch):
    """A function that returns the requests to servers since its last call, also of children."""
    log, request = tmp_path / "calls", requests.Session.request

    def logged_request(session, method, url, **options):
        with log.open("a") as file:
            file.write(f"{urlsplit(url).path.partition('/mlflow/')[2]}\n")
        return request(session, method, url, **options)

    def new_calls():
        paths = log.read_text().split()
        log.unlink()
        return paths

    monkeypatch.setattr(requests.Session, "request", logged_request)
    return new_calls


def test_requests_are_few_thanks_to_digests(server, results, calls):
    search, where = example(results), {"uri": server, "experiment": "asked"}
    search.track("00", "01", "02", **where)
    calls()
    search.track("final", **where)
    assert "runs/log-batch" in calls()
    counts = contents(server, "asked")
    calls()
    search.track("final", **where)
    known = ["experiments/get-by-name", "logged-models/search", "runs/get", "runs/search"]
    assert sorted(calls()) == known
    client = MlflowClient(server)
    experiment = client.get_experiment_by_name("asked").experiment_id
    (run,) = client.search_runs([experiment], "attributes.run_name = 'g01c00'")
    client.set_tag(run.info.run_id, DIGEST, "")
    calls()
    search.track("final", **where)
    assert calls().count("metrics/get-history") == len(run.data.metrics)
    assert contents(server, "asked") == counts


def test_an_incomplete_run_is_completed(server, results):
    """A job that is killed between two calls leaves such a run, without its digest."""
    search, where = example(results), {"uri": server, "experiment": "half"}
    search.track("final", **where)
    counts, client = contents(server, "half"), MlflowClient(server)
    experiment = client.get_experiment_by_name("half").experiment_id
    (run,) = client.search_runs([experiment], "attributes.run_name = 'g01c00'")
    histories = [client.get_metric_history(run.info.run_id, name) for name in run.data.metrics]
    for part in (0, 1, 3, 5):
        client.delete_run(run.info.run_id)
        tags = {name: value for name, value in run.data.tags.items() if name != DIGEST}
        run = client.create_run(experiment, run.info.start_time, tags, "g01c00")
        client.log_batch(run.info.run_id, metrics=[p for h in histories[:part] for p in h])
        search.track("final", **where)
        assert contents(server, "half") == counts, part
        (whole,) = client.search_runs([experiment], "attributes.run_name = 'g01c00'")
        assert whole.info.run_id == run.info.run_id
        assert whole.info.status == "FINISHED"
        run = whole


def test_namesakes_from_other_folders_are_left_alone(server, tmp_path):
    mine, theirs = example(tmp_path / "mine"), example(tmp_path / "theirs")
    log_all(server, "shared", mine, theirs)
    assert contents(server, "shared")[0] == 2 * 7


def test_artifacts_in_a_database_lie_in_their_own_folder(database, server, tmp_path, monkeypatch):
    """Several folders share an experiment; one of them moves and loses its artifacts."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", database)
    mine, theirs = example(tmp_path / "mine"), example(tmp_path / "theirs")
    for search in (mine, theirs):
        assert "runs" in search.track("final", experiment="places", registered_model="placed")
    shutil.rmtree(mine.results)
    moved = theirs.copied("moved")
    shutil.rmtree(moved.results / "mlflow-artifacts" / "models")
    before = set(theirs.results.rglob("*"))
    assert "runs" in moved.track("final", experiment="places", registered_model="placed")
    assert before == set(theirs.results.rglob("*"))
    client = MlflowClient(database)
    experiment = client.get_experiment_by_name("places").experiment_id
    identity = TrackingState(moved.results).identity
    runs = client.search_runs([experiment], f"tags.`netsurgery.results` = '{identity}'")
    models = [m for m in client.search_logged_models([experiment]) if m.tags[RESULTS] == identity]
    (version,) = client.search_model_versions(f"run_id = '{models[0].source_run_id}'")
    places = [run.info.artifact_uri for run in runs] + [m.artifact_location for m in models]
    places.append(client.get_model_version_download_uri(version.name, version.version))
    assert len(places) == 7 + 1 + 1
    assert all(place.startswith(f"{moved.results}/mlflow-artifacts/") for place in places)
    assert {file.path for file in client.list_logged_model_artifacts(models[0].model_id)} > {"data"}


def test_a_command_logs_all_to_a_new_store(server, server_folder, results, monkeypatch, capsys):
    """Again, it restores what the server lost."""
    search = example(results)
    marker = search.track("final")
    arguments = ["netsurgery", "track", str(results), "--uri", server, "--experiment", "new"]
    monkeypatch.setattr("sys.argv", arguments)
    client, files = MlflowClient(server), []
    for _ in range(2):
        with pytest.raises(SystemExit) as ended:
            main.main()
        assert not ended.value.code
        assert capsys.readouterr().out == f"s/seed0: 7 runs, {marker['points']} points\n"
        assert contents(server, "new") == (7, marker["points"], 1)
        experiment = client.get_experiment_by_name("new")
        folder = server_folder / "artifacts" / experiment.experiment_id
        files.append({path.relative_to(folder) for path in folder.rglob("*") if path.is_file()})
        shutil.rmtree(folder)
    assert files[0] == files[1]
    assert len(files[0]) > 10


def test_a_registered_model_gets_one_version_per_search(server, results):
    search = example(results)
    for _ in range(2):
        search.track("final", uri=server, experiment="registering", registered_model="digits")
    client = MlflowClient(server)
    (version,) = client.search_model_versions("name = 'digits'")
    run = client.get_run(version.run_id)
    assert run.info.run_name == "s/seed0"
    assert version.tags["netsurgery.search"] == "s"
    files = {file.path for file in client.list_artifacts(version.run_id)}
    assert {"lineage.csv", "final"} <= files


def test_nothing_is_lost_when_a_server_is_gone(results, capfd):
    address = f"http://127.0.0.1:{servers.free_port()}"
    search = example(results)
    marker = search.track("00", "01", "02", "final", uri=address)
    assert set(marker) == {"pending"}
    state = TrackingState(results)
    assert set(state.pending()) == {"s/seed0"}
    message = pending_message(results)
    assert message == (
        f"MLflow: {address} does not answer; the next run, or `make track`, logs s/seed0"
    )
    assert "Traceback" not in capfd.readouterr().err
    before = state.revision("s/seed0")
    search.track("final")
    assert pending_message(results) is None
    assert state.revision("s/seed0") == before + 1  # because a store was created


def test_a_silent_server_is_tried_once_per_run(results):
    search = example(results)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        search.track("00", "01", "02", "final", uri=address, timeout=0.5)
        silent.settimeout(0)
        silent.accept()[0].close()
        with pytest.raises(BlockingIOError):
            silent.accept()  # there was no second attempt
    assert "took more than" in pending_message(results)


def test_credentials_appear_nowhere(server, results, monkeypatch, capfd):
    monkeypatch.setattr(mlflow.store.db.utils, "MAX_RETRY_COUNT", 2)  # 10 take 50 seconds
    search = example(results)
    inside = server.replace("://", f"://somebody:{PASSWORD}@")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", inside)
    assert "runs" in search.track("final", experiment="secret")
    gone = f"http://somebody:{PASSWORD}@127.0.0.1:{servers.free_port()}"
    database = f"postgresql://somebody:{PASSWORD}@127.0.0.1:{servers.free_port()}/mlflow"
    for uri in (gone, database):
        monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
        assert "pending" in search.track("final")
        assert "127.0.0.1" in pending_message(results)
        assert PASSWORD not in pending_message(results)
    printed = capfd.readouterr()
    assert PASSWORD not in printed.out + printed.err
    for path in results.rglob("*"):
        assert not path.is_file() or PASSWORD.encode() not in path.read_bytes(), path


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium (Debian: apt-get install chromium)")
def test_a_browser_shows_searches_and_columns(server, results, tmp_path):
    search = example(results)
    search.track("final", uri=server, experiment="seen")
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


def test_the_final_model_can_be_served(server, finished_search, tmp_path):
    """A real search's model, from the registry of the server."""
    folder, settings = finished_search
    state = TrackingState(folder.root.parents[1])
    (request,) = state.requests()
    assert request["settings"] == settings
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
        samples = [[[[value]] * 8] * 8 for value in (0, 9, 9.5)]
        example = json.dumps({"inputs": samples}).encode()
        headers = {"Content-Type": "application/json"}
        prediction = urllib.request.Request(f"{address}/invocations", example, headers)
        with urllib.request.urlopen(prediction, timeout=servers.PATIENCE) as answer:
            predicted = json.load(answer)["predictions"]
    assert [len(row) for row in predicted] == [10, 10, 10]
    assert [sum(row) for row in predicted] == pytest.approx([1, 1, 1], abs=1e-5)
    assert predicted[1] != predicted[2]  # a fraction counts
    assert digits.tags["netsurgery.search"] == "s"


@pytest.fixture(scope="module")
def finished_search(tmp_path_factory):
    """A small search of the workflow, whose server is down at first: it ends all the same."""
    from tests.support.workflow_runs import QUICK, run, search_folder

    folder, port = tmp_path_factory.mktemp("late"), servers.free_port()
    secret = f"http://somebody:{PASSWORD}@127.0.0.1:{port}"
    # a run's own servers have its environment, and know one run from the next
    options = {"budget": 12, "own_servers": True}
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
            assert contents(address, "netsurgery")[:2] == (marker["runs"], marker["points"])
            idle = run(folder, budget=options["budget"])
            assert "Nothing to be done" in idle.stderr
    for shown in (done, late, idle):
        assert PASSWORD not in shown.stdout + shown.stderr
    for path in folder.rglob("*"):
        assert not path.is_file() or PASSWORD.encode() not in path.read_bytes(), path
    settings = read_json(folder / "results" / "_tracking" / "s.seed0.json")["settings"]
    assert settings["budget"] == options["budget"] != QUICK["budget"]
    return search_folder(folder), settings
