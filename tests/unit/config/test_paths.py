"""Paths: what a shell would replace, and one form for each folder of results."""

import pytest

from netsurgery.config import loading
from netsurgery.config.errors import ConfigError
from tests.support.factories import SCHEMA
from tests.unit.config.examples import BASE, load


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A home folder with data, below which the working directory is."""
    work = tmp_path / "home" / "work"
    work.mkdir(parents=True)
    monkeypatch.chdir(work)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("SCRATCH", str(tmp_path / "scratch"))
    (tmp_path / "home" / "data.csv").touch()
    return tmp_path / "home"


@pytest.mark.parametrize(
    ("given", "folder"),
    [
        ("results", "results"),
        ("results/", "results"),
        ("./results", "results"),
        ("./a//b/", "a/b"),
        ("a/../b", "b"),
        ("../elsewhere", "../elsewhere"),
        ("/tmp//x/", "/tmp/x"),
        ("//tmp/x", "/tmp/x"),
        ("~/x", "{home}/x"),
        ("$HOME/x", "{home}/x"),
        ("${HOME}/x/", "{home}/x"),
        ("$SCRATCH", "{home}/../scratch"),
    ],
)
def test_results_have_one_form(home, given, folder):
    expected = folder.format(home=home).replace("/home/..", "")
    assert load(top={"results": given}).results == expected


@pytest.mark.parametrize("given", [".", "./", "..", "../..", "/", "//", "~", "$HOME", "x/.."])
def test_results_that_hold_the_working_directory_are_refused(home, given):
    with pytest.raises(ConfigError, match=r"^config: results: '.*' holds the working directory"):
        load(top={"results": given})


@pytest.mark.parametrize("part", ["x" * 256, "ü" * 128])
def test_results_with_a_name_too_long_for_files_are_refused(home, part):
    with pytest.raises(ConfigError, match=r"^config: results: .* 255 bytes that files allow"):
        load(top={"results": f"a/{part}/b"})
    assert load(top={"results": f"a/{part[:-1]}/b"})


def test_a_link_to_the_working_directory_is_refused(home):
    (home / "link").symlink_to(home / "work")
    with pytest.raises(ConfigError, match="holds the working directory"):
        load(top={"results": "../link"})


def load_table(path, **keys):
    table = {"source": "csv", "path": path, "target": "y"} | keys
    given = {"datasets": {"d": table}, "searches": {"s": BASE | {"dataset": "d"}}}
    given["searches"]["s"]["topology"] = "ff-small"
    return loading.load(given, SCHEMA).datasets["d"].settings


@pytest.mark.parametrize("given", ["~/data.csv", "$HOME/data.csv", "${HOME}/data.csv"])
def test_paths_of_data_are_expanded(home, given):
    settings = load_table(given, test_path=given)
    assert settings["path"] == settings["test_path"] == f"{home}/data.csv"


@pytest.mark.parametrize("name", ["$HOME.csv", "~", "cost in $", "$1", "a~b"])
def test_a_file_of_just_that_name_is_taken(home, name):
    (home / "work" / name).touch()
    assert load_table(name)["path"] == name


def test_a_variable_that_is_not_set_is_named(home):
    with pytest.raises(ConfigError) as caught:
        load_table("$NO_SUCH/data.csv")
    line = "'$NO_SUCH/data.csv': the environment variable NO_SUCH is not set"
    assert str(caught.value) == f"config: datasets.d.path: {line}"
    with pytest.raises(ConfigError, match=r"^config: results: .* NO_SUCH is not set$"):
        load(top={"results": "${NO_SUCH}/x"})
