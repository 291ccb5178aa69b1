"""A synthetic experiment with finished, failed and missing runs."""

from pathlib import Path

from netsurgery.analysis import runs
from netsurgery.config import loading
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


def run_of(algorithm: str, accuracy: float | None, seed: int = 42, **given) -> runs.Run:
    """A run without files, finished with an accuracy in percent, or unfinished without one.

    Other arguments are settings, `original`, `parameters` (1,000 at the start) and `spent` epochs.
    """
    settings = {"algorithm": algorithm, "dataset": "mnist", "topology": "ff-small"}
    settings |= {"mode": "recommended"} if algorithm == "surgeon" else {"mode": "greedy"}
    parameters, spent = given.pop("parameters", 1000), given.pop("spent", 30.0)
    original = given.pop("original", given.get("dataset", "mnist"))
    settings |= given
    done = None if accuracy is None else summary(parameters, accuracy / 100, ["dense 10"])
    folder = SearchFolder(Path("nowhere"))
    found = None if done is None else done | {"epochs_spent": spent}
    return runs.Run("s", seed, settings, [{"dense": {"units": 10}}], original, folder, found)
