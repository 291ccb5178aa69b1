"""The configuration when Snakemake parses the workflow."""

import contextlib
import os
import re

import pytest

from netsurgery.workflow import startup
from tests.support.factories import ROOT, SCHEMA


def test_requested_papers_are_those_of_the_command_line():
    environment = {}
    assert startup.requested_papers(["snakemake", "paper_surgeon"], environment) == ["surgeon"]
    assert environment == {"NETSURGERY_PAPERS": "surgeon"}


def test_the_target_of_a_paper_may_have_a_prefix():
    assert startup.requested_papers(["snakemake", "ns_paper_ectonas"], {}) == ["ectonas"]


def test_search_paths_name_each_folder_once(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "other")
    monkeypatch.setenv("PATH", os.environ["PATH"])
    monkeypatch.setenv("NETSURGERY_SNAKEFILE", "none")
    for _ in range(3):
        startup.set_environment(tmp_path / "src", tmp_path / "Snakefile")
    assert os.environ["PYTHONPATH"] == f"{tmp_path / 'src'}{os.pathsep}other"
    assert os.environ["NETSURGERY_SNAKEFILE"] == str(tmp_path / "Snakefile")


def test_jobs_of_a_cluster_inherit_the_requested_papers():
    environment = {"NETSURGERY_PAPERS": "ectonas surgeon"}
    assert startup.requested_papers(["snakemake"], environment) == ["ectonas", "surgeon"]


def test_merging_keeps_the_keys_of_both_sections():
    first, second = {"a": {"x": 1, "y": 2}, "b": 1}, {"a": {"y": 3}, "c": 4}
    assert startup.merge(first, second) == {"a": {"x": 1, "y": 3}, "b": 1, "c": 4}
    assert first == {"a": {"x": 1, "y": 2}, "b": 1}


def test_own_searches_replace_the_default_ones():
    config = startup.complete_config({"searches": {"mine": {}}}, ROOT / "config", [])
    assert list(config["searches"]) == ["mine"]


def test_without_own_searches_the_default_ones_run():
    config = startup.complete_config({"results": "there"}, ROOT / "config", [])
    assert config["results"] == "there"
    assert config["searches"]


def test_the_searches_of_both_papers_can_run_together():
    each = [startup.default_config(ROOT / "config", [paper]) for paper in startup.PAPERS]
    both = startup.default_config(ROOT / "config", startup.PAPERS)
    assert set(both["searches"]) == set(each[0]["searches"]) | set(each[1]["searches"])


def test_an_invalid_config_ends_with_one_line(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit):
        startup.load_or_exit({"searches": {"s": {"algorithm": "ectonsa"}}}, SCHEMA)
    assert len(capsys.readouterr().err.splitlines()) == 1


@pytest.mark.parametrize(
    ("results", "line"),
    [
        ("file", "file: is a file; results need a folder"),
        ("file/below/it", "file: is a file; results need a folder"),
        ("link", "link: is a link to nothing, which does not exist"),
        ("link/below", "link: is a link to nothing, which does not exist"),
        ("locked", "locked: cannot be written to"),
        ("locked/below", "locked: cannot be written to"),
        ("folder/below", None),
        ("folder/link/below", None),
    ],
)
def test_results_that_cannot_be_written_end_with_one_line(
    tmp_path, monkeypatch, capsys, results, line
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to("nothing")
    for name in ("folder", "locked"):
        (tmp_path / name).mkdir()
    (tmp_path / "folder" / "link").symlink_to(tmp_path / "folder")
    access = os.access  # the superuser may write anywhere
    monkeypatch.setattr(
        os, "access", lambda path, mode: path.name != "locked" and access(path, mode)
    )
    searches = {"s": {"algorithm": "ectonas", "dataset": "digits", "topology": "ff-small"}}
    given = {"searches": searches, "results": results}
    expectation = pytest.raises(SystemExit) if line else contextlib.nullcontext()
    with expectation:
        startup.load_or_exit(given, SCHEMA)
    expected = f"{line}\n" if line else ""
    assert capsys.readouterr().err == expected


def test_a_pattern_of_no_names_matches_nothing():
    assert re.fullmatch(startup.any_of(["a.b", "c"]), "a.b")
    assert not re.fullmatch(startup.any_of(["a.b", "c"]), "axb")
    assert not re.fullmatch(startup.any_of([]), "")
