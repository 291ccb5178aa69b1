"""Real servers on loopback: PostgreSQL, and MLflow in front of it."""

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from netsurgery.processes.process_exit import exit_with_parent

PATIENCE = 120  # seconds until a server that should answer is said not to
POSTGRES = max(Path("/usr/lib/postgresql").glob("*/bin"), default=None)
PASSWORD = "s3cr3t-of-postgres"


def free_port():
    """A port of loopback that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_until(condition, what):
    """Wait until something is so."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(what)
        time.sleep(0.05)


def as_postgres():
    """What to run PostgreSQL's programs with: they refuse to run as root."""
    if os.getuid() != 0:
        return {}
    user = pwd.getpwnam("postgres")
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


@contextlib.contextmanager
def postgres():
    """A PostgreSQL server with an empty database; gives its URI."""
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
            preexec_fn=exit_with_parent,  # it would outlive tests that are killed
            **other,
        )
    ready = [POSTGRES / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port)]
    try:
        wait_until(lambda: subprocess.run(ready, check=False).returncode == 0, "PostgreSQL")
        yield f"postgresql://mlflow:{PASSWORD}@127.0.0.1:{port}/postgres"
    finally:
        server.terminate()
        server.wait(PATIENCE)
        shutil.rmtree(folder)


def answers(address):
    """Whether a server says that it is well."""
    try:
        with urllib.request.urlopen(f"{address}/health", timeout=5) as answer:
            return answer.status == 200
    except OSError:
        return False


@contextlib.contextmanager
def running(command, address, log):
    """A server in a process group of its own, from when it answers until the end of the block."""
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
    """An MLflow server on a database, artifacts through it; gives its address."""
    port = port or free_port()
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "mlflow", "server", "--backend-store-uri", database]
    command += ["--artifacts-destination", str(folder / "artifacts"), "--serve-artifacts"]
    command += ["--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    with running(command, address, folder / "mlflow.log"):
        yield address


@contextlib.contextmanager
def model(uri, store, folder):
    """`mlflow models serve` for a model in a store, in the present environment."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "mlflow", "models", "serve", "--model-uri", uri]
    command += ["--env-manager", "local", "--host", "127.0.0.1", "--port", str(port)]
    with pushed("MLFLOW_TRACKING_URI", store), running(command, address, folder / "serve.log"):
        yield address


@contextlib.contextmanager
def pushed(name, value):
    """An environment variable for a while."""
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        os.environ.pop(name)
        if before is not None:
            os.environ[name] = before
