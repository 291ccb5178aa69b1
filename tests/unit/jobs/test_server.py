"""Warm servers give the same results as new processes, and nothing outlives its workflow."""

import contextlib
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from netsurgery.config.job_settings import TRAINING
from netsurgery.processes import client
from netsurgery.processes.launch import launch
from netsurgery.processes.process_exit import WORKFLOW
from netsurgery.storage.dependencies import TIMES
from netsurgery.storage.files import read_json
from tests.support.factories import prepare_digits, search

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the fork server is for Linux")
PATIENCE = 60  # seconds to wait for something that should happen


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    prepare_digits(folder)
    return folder


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A running server; its socket is in the environment, as for the jobs of a workflow."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv(client.SERVERS, raising=False)
        patch.delenv(WORKFLOW, raising=False)
        servers = launch(tmp_path_factory.mktemp("log"))
        yield servers["training"]
        stop(servers)


def stop(servers):
    """Close the standard input of servers, which ends them."""
    for process in servers.values():
        assert process.stdin is not None
        process.stdin.close()
    for process in servers.values():
        process.wait(PATIENCE)


def command(data, output, epochs=1, topology="ff-small"):
    chosen = search(topology=topology)
    arguments = {
        "--data": data,
        "--split": data / "split.npz",
        "--seed": 0,
        "--settings": json.dumps(chosen.pick(TRAINING)),
        "--output": output,
        "--step": "warm-up",
        "--layers": json.dumps(chosen.layers),
        "--start": "null",
        "--activation": chosen.output_activation,
        "--epochs": epochs,
        "--limits": "{}",
    }
    words = [str(word) for pair in arguments.items() for word in pair]
    return [
        sys.executable,
        "-m",
        "netsurgery.processes.client",
        "training",
        "train_initial_network",
        *words,
    ]


def environment(**changed):
    cleaned = {k: v for k, v in os.environ.items() if k not in (client.SERVERS, WORKFLOW)}
    return cleaned | changed


def eventually(condition):
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return False


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def steps(server):
    """The children of a server that train; they have its command line."""
    found = []
    for task in Path(f"/proc/{server}/task").iterdir():
        for child in (task / "children").read_text().split():
            with contextlib.suppress(OSError):  # the child may have ended
                if command_line(child) == command_line(server):
                    found.append(int(child))
    return found


def command_line(pid):
    return Path(f"/proc/{pid}/cmdline").read_bytes()


def without_times(record):
    return {k: v for k, v in record.items() if k not in TIMES}


def test_warm_and_cold_give_the_same_bytes(server, data, tmp_path):
    subprocess.run(command(data, tmp_path / "warm.keras"), check=True)
    subprocess.run(command(data, tmp_path / "cold.keras"), env=environment(), check=True)
    assert (tmp_path / "warm.keras").read_bytes() == (tmp_path / "cold.keras").read_bytes()
    warm, cold = (read_json(tmp_path / f"{name}.json") for name in ("warm", "cold"))
    assert without_times(warm) == without_times(cold)
    assert len(warm["history"]) == 1


def test_jobs_of_one_topology_share_a_traced_graph(server, data, tmp_path):
    kept = Path(os.environ[client.SERVERS]) / "graphs"
    subprocess.run(command(data, tmp_path / "a.keras", topology="ff-medium"), check=True)
    first = {path: path.stat().st_mtime_ns for path in kept.iterdir()}
    assert {path.name.partition("_")[0] for path in first} == {"epoch", "evaluation"}
    again = command(data, tmp_path / "b.keras", epochs=2, topology="ff-medium")
    subprocess.run(again, check=True)
    assert {path: path.stat().st_mtime_ns for path in kept.iterdir()} == first
    subprocess.run(again, check=True, env=environment())
    cold = (tmp_path / "b.keras").read_bytes()
    subprocess.run(again, check=True)
    assert (tmp_path / "b.keras").read_bytes() == cold


def job(kind, *words, **given):
    """The command of a job that does not train; by default one that splits the dataset."""
    run = [sys.executable, "-m", "netsurgery.processes.client", kind, *words]
    return subprocess.run(run, capture_output=True, text=True, **given)


def test_an_unused_server_imports_nothing_and_ends(tmp_path):
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv(WORKFLOW, raising=False)
        patch.delenv(client.SERVERS, raising=False)
        servers = launch(tmp_path)
        folder = Path(os.environ[client.SERVERS])
        stop(servers)
        assert all((tmp_path / f"server-{kind}.log").read_text() == "" for kind in servers)
        assert not folder.exists()


def test_jobs_that_do_not_train_have_their_own_server(server, data, tmp_path):
    fractions = json.dumps({"validation_fraction": 0.2, "test_fraction": 0.1})
    words = [
        "split_dataset",
        "--data",
        str(data),
        "--settings",
        fractions,
        "--seed",
        "3",
        "--output",
    ]
    warm = job("jobs", *words, str(tmp_path / "warm.npz"))
    cold = job("jobs", *words, str(tmp_path / "cold.npz"), env=environment())
    assert (warm.returncode, cold.returncode) == (0, 0)
    assert (tmp_path / "warm.npz").read_bytes() == (tmp_path / "cold.npz").read_bytes()
    assert os.path.exists(os.path.join(os.environ[client.SERVERS], "jobs"))


def test_messages_are_the_same_warm_and_cold(server, tmp_path):
    wrong = json.dumps({"source": "npz", "path": str(tmp_path / "nowhere.npz")})
    words = ["prepare_dataset", "--dataset", "mine", "--settings", wrong, "--output", str(tmp_path)]
    warm, cold = job("jobs", *words), job("jobs", *words, env=environment())
    assert warm.returncode == cold.returncode == 1
    assert warm.stderr == cold.stderr
    assert warm.stderr.startswith("data: ")
    assert warm.stderr.count("\n") == 1


def test_a_step_runs_in_a_fresh_child_of_the_server(server, data, tmp_path):
    process = subprocess.Popen(command(data, tmp_path / "a.keras", epochs=100_000))
    assert eventually(lambda: steps(server.pid))
    process.kill()
    process.wait()
    assert eventually(lambda: not steps(server.pid))  # it ends with its client


def test_the_client_gets_exit_code_and_output(server, data, tmp_path):
    broken = command(data, tmp_path / "a.keras")
    broken[broken.index("--split") + 1] = str(tmp_path / "nowhere.npz")
    failed = subprocess.run(broken, capture_output=True, text=True)
    assert failed.returncode == 1
    assert "nowhere" in failed.stderr
    assert not (tmp_path / "a.keras").exists()
    unknown = subprocess.run([*broken[:4], "erase"], capture_output=True, text=True)
    assert unknown.returncode == 2
    assert "invalid choice" in unknown.stderr


def test_an_invalid_request_does_not_stop_the_server(server, data, tmp_path):
    for garbage in (b"", b"\n", b"-1\n", b"[1]\n", b"99999999999\n", b"10\nshort", b"9" * 50):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(os.path.join(os.environ[client.SERVERS], "training"))
            connection.sendall(garbage)
            connection.shutdown(socket.SHUT_WR)
            connection.settimeout(PATIENCE)
            assert connection.recv(10) == b""
    subprocess.run(command(data, tmp_path / "a.keras"), check=True)
    assert (tmp_path / "a.keras").exists()


def test_no_other_user_can_reach_the_socket(server):
    folder = Path(os.environ[client.SERVERS])
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_steps_of_a_killed_server_run_in_new_processes(data, tmp_path):
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv(WORKFLOW, raising=False)
        patch.setenv(client.SERVERS, "")
        servers = launch(tmp_path)
        other = servers["training"]
        process = subprocess.Popen(command(data, tmp_path / "a.keras", epochs=300))
        assert eventually(lambda: steps(other.pid))
        (child,) = steps(other.pid)
        other.kill()
        other.wait()
        assert eventually(lambda: not alive(child))
    assert process.wait(PATIENCE) == 0
    assert len(read_json(tmp_path / "a.json")["history"]) == 300
    stop(servers)


WORKFLOW_PROGRAM = """
import os, subprocess, sys
from pathlib import Path
from netsurgery.processes import client
from netsurgery.processes.launch import launch
servers = launch(Path(sys.argv[1]))
warm = subprocess.Popen(sys.argv[2:])
cold_environment = {k: v for k, v in os.environ.items() if k != client.SERVERS}
cold_command = [a.replace("warm.keras", "cold.keras") for a in sys.argv[2:]]
cold = subprocess.Popen(cold_command, env=cold_environment)
print(servers["training"].pid, servers["jobs"].pid, warm.pid, cold.pid, flush=True)
warm.wait()
"""


def test_no_process_outlives_a_killed_workflow(data, tmp_path):
    """After SIGKILL the workflow cannot clean up; its warm and cold steps end all the same."""
    program = [sys.executable, "-c", WORKFLOW_PROGRAM, str(tmp_path / "log")]
    step = command(data, tmp_path / "warm.keras", epochs=100_000)
    workflow = subprocess.Popen([*program, *step], stdout=subprocess.PIPE, env=environment())
    assert workflow.stdout is not None
    server, other, warm, cold = map(int, workflow.stdout.readline().split())
    assert eventually(lambda: steps(server))
    (child,) = steps(server)
    workflow.send_signal(signal.SIGKILL)
    workflow.wait()
    for process in (server, other, child, warm, cold):
        assert eventually(lambda process=process: not alive(process))
