"""A synthetic experiment with finished, failed and missing runs."""

from pathlib import Path

from netsurgery.analysis import runs
from netsurgery.config import loading
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
