"""`netsurgery results`: the finished searches and their files."""

import subprocess
import sys

from netsurgery.cli.results import describe
from netsurgery.storage.files import write_json
from tests.unit.cli.examples import SUMMARY


def test_each_finished_search_is_listed_with_its_files(tmp_path):
    write_json(tmp_path / "digits" / "seed3" / "final" / "summary.json", SUMMARY)
    plain = SUMMARY | {"generations": 0, "seed": 11, "parameters": 939}
    write_json(tmp_path / "plain" / "seed11" / "final" / "summary.json", plain)
    (tmp_path / "unfinished" / "seed0" / "final").mkdir(parents=True)
    text = describe(tmp_path)
    assert "97.5%" in text
    assert "939 -> 1558  17256            800.0" in text
    assert str(tmp_path / "digits" / "seed3" / "final" / "model.keras") in text
    assert str(tmp_path / "plain" / "seed11" / "lineage.csv") in text
    assert "unfinished" not in text
    assert "report" not in text
    (tmp_path / "report.html").touch()
    assert str(tmp_path / "report.html") in describe(tmp_path)


def test_several_seeds_have_a_mean_and_a_deviation(tmp_path):
    for seed, accuracy in ((1, 0.9), (2, 0.8)):
        classes = SUMMARY | {"seed": seed, "test_accuracy": accuracy}
        write_json(tmp_path / "a" / f"seed{seed}" / "final" / "summary.json", classes)
        numbers = classes | {"test_accuracy": None, "test_score": accuracy, "objective": "val_rmse"}
        write_json(tmp_path / "b" / f"seed{seed}" / "final" / "summary.json", numbers)
    write_json(tmp_path / "c" / "seed1" / "final" / "summary.json", SUMMARY | {"seed": 1})
    lines = [line for line in describe(tmp_path).splitlines() if "(mean" in line]
    assert lines[0].startswith("a: test accuracy 85.0% ± 7.1 (mean ± standard deviation of 2")
    assert lines[1].startswith("b: test rmse 0.85 ± 0.071")
    assert len(lines) == 2


def test_reference_models_are_rows_below_their_search(tmp_path):
    metrics = {"loss": 0.1, "mae": 1.0, "rmse": 2.0, "r2": 0.875}
    summary = SUMMARY | {"test_accuracy": None, "test_metrics": metrics}
    write_json(tmp_path / "house" / "seed3" / "final" / "summary.json", summary)
    models = [{"name": "trees", "test_metrics": metrics | {"r2": 0.9}, "seconds": 1.5}]
    models.append({"name": "neighbours", "why": "too many series"})
    write_json(tmp_path / "house" / "seed3" / "reference.json", {"models": models})
    rows = [line.split("  ") for line in describe(tmp_path).splitlines()[1:4]]
    found = [[cell.strip() for cell in row if cell.strip()][:3] for row in rows]
    assert found[0] == ["house", "3", "r2 0.875"]
    assert found[1] == ["trees", "3", "r2 0.900"]
    assert found[2] == ["neighbours", "3", "not trained: too many series"]


def test_results_of_an_older_version_lack_costs(tmp_path):
    older = {key: value for key, value in SUMMARY.items() if key != "multiplications"}
    write_json(tmp_path / "digits" / "seed3" / "final" / "summary.json", older)
    assert "939 -> 1558  -                800.0" in describe(tmp_path)


def test_a_folder_without_results_is_named(tmp_path, netsurgery):
    assert netsurgery("results", tmp_path) == f"{tmp_path}: no finished search\n"


def test_a_missing_folder_is_an_error(tmp_path):
    command = [sys.executable, "-m", "netsurgery", "results", str(tmp_path / "nowhere")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr == f"{tmp_path / 'nowhere'}: no such folder\n"


def test_results_are_listed_without_keras():
    code = "import sys, netsurgery.cli.main; sys.exit('keras' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
