"""The examples of docs/tracking.md, on a store that holds a search of that name."""

import subprocess
import sys
from functools import partial
from pathlib import Path

import mlflow
import pytest
from mlflow import MlflowClient

from netsurgery.tracking.uri import VARIABLE
from tests.support.pages import blocks
from tests.support.tracked_search import example

PAGE = Path("docs/tracking.md")
QUERIES = [text.strip() for text in blocks(PAGE, "sql")]
FOUND = [
    ["g00c00", "g01c01", "g02c00"],
    ["g01c01", "g02c00", "g02c01"],
    ["g01c00", "g01c02"],
    ["g01c00", "g01c02"],
    ["g01c01", "g02c00"],
    ["g01c01", "g01c02"],
    ["g01c02"],
    ["digits/seed42"],
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("documented")
    made = example(folder / "results", name="digits", seed=42)
    made.generation(1, 0.6, 0.75, None)
    made.generation(2, 0.8, 0.7)
    made.finish(2)
    made.track("final")
    return folder


def test_every_query_is_tested():
    assert len(QUERIES) == len(FOUND)


@pytest.mark.parametrize(("query", "names"), list(zip(QUERIES, FOUND, strict=False)))
def test_a_query_finds_what_it_says(query, names, folder):
    client = MlflowClient(f"sqlite:///{folder}/results/mlflow.db")
    (experiment,) = [e for e in client.search_experiments() if e.name == "netsurgery"]
    runs = client.search_runs([experiment.experiment_id], query)
    assert sorted(run.info.run_name for run in runs) == names


def test_the_chain_is_that_of_the_command(folder):
    script, _ = blocks(PAGE, "python")
    ours = [
        sys.executable,
        "-m",
        "netsurgery.cli.main",
        "lineage",
        "results/digits/seed42",
        "g02c00",
    ]
    printed = [
        subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout
        for command in ([sys.executable, "-c", script], ours)
    ]
    for text in printed:
        lines = text.splitlines()
        rows = [
            next(i for i, text in enumerate(lines) if name in text.split()[:1])
            for name in ("g00c00", "g01c01", "g02c00")
        ]
        assert rows == sorted(rows)
        assert "add_dense" in lines[rows[1]]
        assert "760" in lines[rows[1]]


def test_the_address_of_a_model_is_that_of_the_run(folder, monkeypatch):
    _, script = blocks(PAGE, "python")
    loaded = []
    monkeypatch.chdir(folder)
    monkeypatch.setattr("mlflow.set_tracking_uri", partial(monkeypatch.setenv, VARIABLE))
    for flavor in ("pyfunc", "keras"):
        assert getattr(mlflow, flavor).load_model  # the first use replaces a lazy module
        monkeypatch.setattr(getattr(mlflow, flavor), "load_model", loaded.append)
    exec(script, {})
    first, second = loaded
    assert first == second
    files = mlflow.artifacts.list_artifacts(first)
    assert "model/MLmodel" in {file.path for file in files}
