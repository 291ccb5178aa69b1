"""The first search of docs/get-started.md, and the files and commands of docs/what-comes-out.md."""

import re
import shlex
import shutil
from pathlib import Path

import keras
import numpy as np
import pytest

from netsurgery.cli.main import main
from tests.support import snakemake_process
from tests.support.factories import ROOT
from tests.support.pages import blocks, commands
from tests.support.workflow_runs import PATIENCE, environment

pytestmark = pytest.mark.workflow
START, FILES = Path("docs/get-started.md"), Path("docs/what-comes-out.md")
SURGERY = Path("docs/surgery.md")


def words_of(line, program):
    """Return what follows the program in a command."""
    first, *words = shlex.split(line)
    assert first == program
    return words


@pytest.fixture
def run(finished, monkeypatch, capsys):
    """Run a netsurgery command in the reader's folder and return what it prints."""

    def run(line):
        monkeypatch.chdir(finished)
        monkeypatch.setattr("sys.argv", ["netsurgery", *words_of(line, "netsurgery")])
        main()
        return capsys.readouterr().out

    return run


def columns(text):
    """The heads of all tables in what a command printed, or a page shows."""
    return [re.split(r" {2,}", line.strip()) for line in text.splitlines() if "  param" in line]


def columns_shown(page):
    return [heads for block in blocks(page, "") for heads in columns(block)]


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """The folder in which a reader followed the page, up to the search of their own."""
    folder = tmp_path_factory.mktemp("reader")
    (folder / "first.yaml").write_text(blocks(START, "yaml")[0])
    (line,) = [line for line in commands(START) if "first.yaml" in line]
    given = ["--snakefile", str(ROOT / "Snakefile"), "--directory", str(folder)]
    words = [*given, *words_of(line, "snakemake")]
    words[words.index("first.yaml")] = str(folder / "first.yaml")
    done = snakemake_process.run(words, environment(), PATIENCE)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return folder


def test_the_commands_about_the_first_search_work(run):
    lines = [line for line in commands(START) if re.match(r"netsurgery \w+ first", line)]
    printed = {line.split()[1]: run(line) for line in lines}
    assert set(printed) == {"lineage", "progress", "report", "results"}
    assert "g00c00" in printed["lineage"]
    assert "compact" in printed["results"]
    assert columns(printed["results"]) == columns_shown(START)
    assert columns(printed["results"]) + columns(printed["lineage"]) == columns_shown(FILES)


def test_the_files_that_are_listed_are_there(finished):
    search, whole = (
        re.findall(r"^\| (`.*?) \|", table.partition("\n\n")[0], re.MULTILINE)
        for table in (ROOT / FILES).read_text().split("| file | what it is |")[1:]
    )
    for folder, rows in (("first/compact/seed0", search), ("first", whole)):
        names = re.findall(r"`([^`]+)`", " ".join(rows))
        assert len(names) > 5
        for name in names:
            pattern = re.sub(r"<\w+>", "*", name).rstrip("/")
            assert list((finished / folder).glob(pattern)), name


def test_the_results_are_intact_and_the_model_opens(finished, run):
    run("netsurgery verify first")
    model = keras.models.load_model(finished / "first/compact/seed0/final/model.keras")
    assert model.predict(np.zeros((1, 8, 8, 1)), verbose=0).shape == (1, 10)


def test_surgery_on_the_trained_model_works_as_shown(finished, run):
    folder = finished / "results" / "digits" / "seed42" / "final"
    folder.mkdir(parents=True)
    shutil.copy(finished / "first/compact/seed0/final/model.keras", folder)
    listing, operation = commands(SURGERY)
    # this network has other layers than the one of the page
    operation = re.sub(r"--operation \w+ --position \d+", "--operation identity", operation)
    listed = run(listing)
    assert columns(listed) == columns_shown(SURGERY)
    assert "identity" in run(operation)
    assert (finished / "wider.keras").exists()
