"""Looking at somebody else's results works, and writes nothing there."""

import os
import shutil
import stat

import pytest

from netsurgery.cli import main
from netsurgery.storage.files import read_json, write_json, write_text
from tests.support.mlflow_store import runs_of
from tests.support.tracked_search import SETTINGS, example


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    results = tmp_path_factory.mktemp("finished") / "results"
    example(results).track("final")
    settings = SETTINGS | {"seeds": [0]}
    search = {"name": "s", "settings": settings, "layers": [], "original": "digits"}
    write_json(results / "searches.json", {"scale": 1.0, "searches": [search]})
    return results


@pytest.fixture
def results(finished, tmp_path, monkeypatch):
    """A results folder that may only be read, by root as well."""
    results = shutil.copytree(finished, tmp_path / "results")
    paths = [results, *results.rglob("*")]
    for path in paths:
        path.chmod(path.stat().st_mode & ~0o222)
    access = os.access
    is_allowed = lambda path: os.stat(path).st_mode & stat.S_IWUSR  # noqa: E731
    monkeypatch.setattr(
        "os.access",
        lambda path, mode: access(path, mode) and not (mode & os.W_OK and not is_allowed(path)),
    )
    before = content(results)
    yield results
    assert content(results) == before
    for path in paths:
        path.chmod(path.stat().st_mode | stat.S_IWUSR)


def content(results):
    return {path: path.stat().st_mtime_ns for path in results.rglob("*")}


@pytest.fixture
def run(monkeypatch, capsys):
    """A function that runs a command; it returns its exit status and what it printed."""

    def run(*arguments):
        monkeypatch.setattr("sys.argv", ["netsurgery", *map(str, arguments)])
        try:
            main.main()
            code = 0
        except SystemExit as ended:
            code = ended.code or 0
        return code, capsys.readouterr().out

    return run


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        ("progress", "1 of 1 runs finished"),
        ("results", "s, seed0"),
        ("lineage", "g02c00"),
    ],
)
def test_looking_needs_no_permission_to_write(results, run, command, shown):
    code, printed = run(command, results / "s" / "seed0" if command == "lineage" else results)
    assert code == 0
    assert shown in printed


def test_verifying_only_reads(results, run):
    code, printed = run("verify", results)
    assert "the next run makes them again" in code  # a fake search lacks some files
    assert f"{results}/s/seed0/" in printed


def test_a_report_needs_another_file(results, run):
    file = results / "report.html"
    advice = "cannot be written to; give another file with --output FILE"
    assert run("report", results) == (f"{file}: {advice}", "")
    assert run("report", results, "--output", results) == (f"{results}: {advice}", "")


def test_a_report_goes_to_another_file(results, run, tmp_path, monkeypatch):
    write = lambda _, output: write_text(output, "report")  # noqa: E731
    monkeypatch.setattr("netsurgery.report.html_report.write_report", write)
    output = tmp_path / "mine" / "report.html"
    assert run("report", results, "--output", output) == (0, f"{output}\n")
    assert output.read_text() == "report"


def test_searches_are_logged_to_another_store(results, run, tmp_path):
    advice = "cannot be written to; log to another store with --uri"
    assert run("track", results) == (f"{results / 'mlflow.db'}: {advice}", "")
    mine = tmp_path / "mine"
    mine.mkdir()
    code, printed = run("track", results, "--uri", f"sqlite:///{mine}/mlflow.db")
    points = read_json(results / "s" / "seed0" / "tracked.json")["points"]
    assert (code, printed) == (0, f"s/seed0: 7 runs, {points} points\n")
    assert len(runs_of(mine)) == 7


def test_a_folder_that_cannot_be_read_is_one_line(run, tmp_path, monkeypatch):
    def denied(*_):
        raise PermissionError(13, "Permission denied", "/somewhere/searches.json")

    monkeypatch.setattr("netsurgery.analysis.runs.read_experiment", denied)
    code, printed = run("progress", tmp_path)
    assert (code, printed) == ("/somewhere/searches.json: permission denied", "")
