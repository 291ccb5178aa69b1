"""The provenance of a training step names the code, the environment and the device."""

import pytest

import netsurgery
from netsurgery.storage import provenance


@pytest.fixture(autouse=True)
def uncached():
    provenance.code.cache_clear()
    yield
    provenance.code.cache_clear()


def test_a_checkout_has_a_commit(monkeypatch):
    answers = {"ls-files": "__init__.py", "status": " M file.py", "rev-parse": "abc"}
    monkeypatch.setattr(provenance, "_git", lambda command, *_: answers[command])
    assert provenance.code() == {
        "version": netsurgery.__version__,
        "commit": "abc",
        "changed": "true",
    }


def test_an_installed_package_has_its_version_alone(monkeypatch):
    monkeypatch.setattr(provenance, "_git", lambda *_: None)
    assert provenance.code() == {"version": netsurgery.__version__}


def test_a_missing_git_is_no_error(monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert provenance._git("status") is None


def test_a_record_names_machine_and_slurm_job(monkeypatch):
    monkeypatch.setenv("SLURM_JOB_ID", "17")
    described = provenance.describe("a GPU")
    assert described["device"] == "a GPU"
    assert described["slurm_job"] == "17"
    assert "python" in described["environment"]
    assert described["host"]
    assert provenance.processor()
    assert "fpu" in provenance.processor_flags()  # of every x86 processor
