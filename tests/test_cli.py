"""The `netsurgery` command."""

import subprocess
import sys

from netsurgery.cli import describe
from netsurgery.files import write_json

SUMMARY = {
    "seed": 3,
    "test_accuracy": 0.975,
    "start_parameters": 939,
    "parameters": 1558,
    "epochs_spent": 800.0,
    "epochs_trained": 95.25,
    "generations": 4,
}


def test_results_lists_each_finished_search_with_its_model_and_lineage(tmp_path):
    write_json(tmp_path / "digits" / "seed3" / "final" / "summary.json", SUMMARY)
    plain = SUMMARY | {"generations": 0, "seed": 11, "parameters": 939}
    write_json(tmp_path / "plain" / "seed11" / "final" / "summary.json", plain)
    (tmp_path / "unfinished" / "seed0" / "final").mkdir(parents=True)
    text = describe(tmp_path)
    assert "97.5%" in text
    assert "939 -> 1558" in text
    assert str(tmp_path / "digits" / "seed3" / "final" / "model.keras") in text
    assert str(tmp_path / "plain" / "seed11" / "lineage.csv") in text
    assert "unfinished" not in text
    assert "report" not in text
    (tmp_path / "report.html").touch()
    assert str(tmp_path / "report.html") in describe(tmp_path)


def test_a_folder_without_results_is_said_to_be_one(tmp_path):
    assert describe(tmp_path) == f"{tmp_path}: no finished search here"
    command = [sys.executable, "-m", "netsurgery.cli", "results", str(tmp_path / "nowhere")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr == f"{tmp_path / 'nowhere'}: no such folder\n"
