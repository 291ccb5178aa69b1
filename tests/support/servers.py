"""Real servers on loopback: PostgreSQL, and MLflow in front of it."""

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from netsurgery.processes.process_exit import exit_with_parent

PATIENCE = 120  # seconds to wait for the answer of a server
POSTGRES = max(Path("/usr/lib/postgresql").glob("*/bin"), default=None)
PASSWORD = "s3cr3t-of-postgres"


def free_port():
    """Find a free port on loopback."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_until(condition, what):
    """Wait until a condition holds."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(what)
        time.sleep(0.05)


def as_postgres():
    """Return the prefix of PostgreSQL's commands, which refuse to run as root."""
    if os.getuid() != 0:
        return {}
    user = pwd.getpwnam("postgres")
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


@contextlib.contextmanager
def postgres():
    """Run a PostgreSQL server with an empty database; yield its URI."""
    folder, port = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp")), free_port()
    other = as_postgres()
    if other:
        shutil.chown(folder, other["user"], other["group"])
    secret = folder / "password"
    secret.write_text(PASSWORD)
    secret.chmod(0o644)
    quiet = {"check": True, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, **other}
    data = folder / "data"
    initdb = [POSTGRES / "initdb", "-D", data, "-U", "mlflow", "--auth=scram-sha-256", "--no-sync"]
    subprocess.run([*initdb, f"--pwfile={secret}"], cwd=folder, **quiet)
    options = ["-h", "127.0.0.1", "-p", str(port), "-k", str(folder), "-F"]
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(
            [POSTGRES / "postgres", "-D", data, *options],
            cwd=folder,
            stdout=log,
            stderr=log,
            preexec_fn=exit_with_parent,  # or it outlives tests that are killed
            **other,
        )
    ready = [POSTGRES / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port)]
    try:
        wait_until(lambda: subprocess.run(ready, check=False).returncode == 0, "PostgreSQL")
        yield f"postgresql://mlflow:{PASSWORD}@127.0.0.1:{port}/postgres"
    finally:
        server.send_signal(signal.SIGINT)  # does not wait for the connections of our own process
        server.wait(PATIENCE)
        shutil.rmtree(folder)


def answers(address):
    """Whether a server reports that it is healthy."""
    try:
        with urllib.request.urlopen(f"{address}/health", timeout=5) as answer:
            return answer.status == 200
    except OSError:
        return False


@contextlib.contextmanager
def running(command, address, log):
    """Run a server in its own process group during a block, once it answers."""
    programs = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])  # uvicorn
    environment = os.environ | {
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "DO_NOT_TRACK": "1",
        "PATH": programs,
    }
    with log.open("a") as output:
        server = subprocess.Popen(
            command, stdout=output, stderr=output, env=environment, start_new_session=True
        )
    try:
        wait_until(lambda: answers(address) or server.poll() is not None, command)
        assert server.poll() is None, log.read_text()[-3000:]
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(server.pid, 15)
        server.wait(PATIENCE)


@contextlib.contextmanager
def mlflow(database, folder, port=None):
    """Run an MLflow server on a database, with proxied artifacts; yield its address."""
    port = port or free_port()
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "mlflow", "server", "--backend-store-uri", database]
    command += ["--artifacts-destination", str(folder / "artifacts"), "--serve-artifacts"]
    command += ["--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    with running(command, address, folder / "mlflow.log"):
        yield address


@contextlib.contextmanager
def model(uri, store, folder):
    """Run `mlflow models serve` for a model in a store, in this environment."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "mlflow", "models", "serve", "--model-uri", uri]
    command += ["--env-manager", "local", "--host", "127.0.0.1", "--port", str(port)]
    with pushed("MLFLOW_TRACKING_URI", store), running(command, address, folder / "serve.log"):
        yield address


@contextlib.contextmanager
def pushed(name, value):
    """Set an environment variable during a block."""
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        os.environ.pop(name)
        if before is not None:
            os.environ[name] = before
