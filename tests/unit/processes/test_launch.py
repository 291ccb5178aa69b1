"""Where the sockets of the servers are."""

import os
import shutil
import socket
import tempfile

import pytest

from netsurgery.processes import launch
from netsurgery.processes.client import MODULES


def use_as_temporary(monkeypatch, folder):
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)


def assert_takes_sockets(folder):
    for kind in MODULES:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(os.path.join(folder, kind))
    assert os.stat(folder).st_mode & 0o77 == 0  # no other user can enter
    shutil.rmtree(folder)


@pytest.mark.parametrize("length", [*range(60, 110, 7), 200])
def test_sockets_fit_however_long_the_temporary_folder_is(tmp_path, monkeypatch, length):
    long = tmp_path / ("x" * max(1, length - len(str(tmp_path))))
    long.mkdir()
    short = tmp_path / "s"
    short.mkdir()
    use_as_temporary(monkeypatch, long)
    assert_takes_sockets(launch.socket_folder())
    assert len(os.listdir(long)) <= 1


def test_the_runtime_folder_comes_before_shared_ones(monkeypatch):
    with tempfile.TemporaryDirectory(dir="/tmp") as runtime:
        use_as_temporary(monkeypatch, f"{runtime}/not/there")
        monkeypatch.setenv("XDG_RUNTIME_DIR", runtime)
        assert launch.socket_folder().startswith(f"{runtime}/netsurgery-")


def test_without_a_place_for_sockets_jobs_run_without_servers(tmp_path, monkeypatch, capsys):
    use_as_temporary(monkeypatch, tmp_path / "not" / "there")
    monkeypatch.setattr(launch, "SHORT_PLACES", ("/proc",))
    monkeypatch.setattr(launch, "announce_workflow", lambda: None)
    assert launch.launch(None) == {}
    assert capsys.readouterr().err.startswith("no warm servers")
