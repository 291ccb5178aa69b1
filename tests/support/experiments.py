"""A synthetic experiment with finished, failed and missing runs."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas

from netsurgery.analysis import runs
from netsurgery.config import loading
from netsurgery.reproduction.kept_runs import keep, with_kept
from netsurgery.reproduction.paper_runs import PaperRun
from netsurgery.reproduction.tables import Table
from netsurgery.search.layout import SearchFolder
from netsurgery.storage.files import write_json, write_text
from tests.support.factories import SCHEMA


def summary(parameters, accuracy, layers, status="ok"):
    return {
        "status": status, "test_accuracy": accuracy, "val_accuracy": accuracy,
        "parameters": parameters, "start_parameters": 1000,
        "generations": 2,
        "candidates": 3, "objective": "val_accuracy", "val_score": accuracy, "epochs_spent": 30.0,
        "epochs_trained": 20.0, "wall_seconds": 60.0, "layers": layers,
    }  # fmt: skip


def write_experiment(tmp_path: Path) -> runs.Experiment:
    """Write three greedy searches (one missing, one failed) and baselines on an excerpt."""
    given_ = {
        "results": str(tmp_path),
        "scale": 0.5,
        "datasets": {
            "few": {"source": "npz", "path": str(tmp_path / "x.npz"), "excerpt_of": "mnist"}
        },
        "searches": {
            "e": {
                "algorithm": "ectonas",
                "dataset": "few",
                "topology": "cnn-small",
                "seeds": [0, 1, 2],
            },
            "b": {
                "algorithm": "baseline",
                "dataset": "few",
                "topology": "cnn-small",
                "seeds": [0, 1, 2],
            },
        },
    }
    (tmp_path / "x.npz").touch()
    runs.write_listing(loading.load(given_, SCHEMA))
    finished = {
        "e/seed0": summary(800, 0.9, ["flatten", "dense 10"]),
        "e/seed1": summary(900, 0.1, ["conv 3 (3x3)"], "diverged"),
        "b/seed0": summary(1000, 0.8, ["conv 3 (3x3)"]),
        "b/seed1": summary(1000, 0.7, ["conv 3 (3x3)"]),
        "b/seed2": summary(1000, 0.6, ["conv 3 (3x3)"]),
    }
    for name, content in finished.items():
        write_json(tmp_path / name / "final" / "summary.json", content)
        text = "candidate,epochs_trained\ng0,10\ng1,20\ng2,20\n"
        write_text(tmp_path / name / "lineage.csv", text)
    return runs.read_experiment(tmp_path)


def run_of(algorithm: str, accuracy: float | None, seed: int = 42, **given) -> PaperRun:
    """A run without files, finished with an accuracy in percent, or unfinished without one.

    Other arguments are settings, `original`, `parameters` (1,000 at the start), `spent` epochs and
    `redraws`.
    """
    kept = {"savings": (0.4, 0.8), "operations": [], "redraws": given.pop("redraws", [])}
    kept["curve"] = [[1, 2], [0.5, 0.5]]
    settings = {"algorithm": algorithm, "dataset": "mnist", "topology": "ff-small"}
    settings |= {"mode": "recommended"} if algorithm == "surgeon" else {"mode": "greedy"}
    parameters, spent = given.pop("parameters", 1000), given.pop("spent", 30.0)
    original = given.pop("original", given.get("dataset", "mnist"))
    settings |= given
    done = None if accuracy is None else summary(parameters, accuracy / 100, ["dense 10"])
    folder = SearchFolder(Path("nowhere"))
    found = None if done is None else done | {"epochs_spent": spent}
    layers = [{"dense": {"units": 10}}]
    return PaperRun("s", seed, settings, layers, original, folder, found, done and kept)


def assert_kept_figures_suffice(
    results: Path, tables: Callable[[runs.Experiment], list[Table]], folder: Path
) -> None:
    """The kept figures of an experiment give the same tables and curves as its files do."""
    given = runs.read_experiment(results)
    path = folder / "kept.jsonl"
    keep(given, path)
    gone = [replace(run, summary=None, folder=SearchFolder(folder)) for run in given.runs]
    kept = with_kept(replace(given, runs=gone), path)
    assert {run.state for run in kept.runs} == {"finished"}
    for before, after in zip(tables(given), tables(kept), strict=True):
        assert (before.name, before.caption) == (after.name, after.caption)
        pandas.testing.assert_frame_equal(before.frame, after.frame)
    for one, other in zip(given.runs, kept.runs, strict=True):
        np.testing.assert_allclose(PaperRun.of(one).curve, PaperRun.of(other).curve, atol=1e-4)
