"""Runs that end with one line, before any training."""

from pathlib import Path

import numpy as np
import pytest

from netsurgery.storage.locking import ResultsLock
from tests.support.workflow_runs import own_data, run, search_folder

pytestmark = pytest.mark.workflow


@pytest.mark.parametrize(
    ("search", "line"),
    [
        (
            {"topology": "cnn-smal"},
            "searches.s.topology: unknown topology 'cnn-smal'; did you mean",
        ),
        ({"budgt": 3}, "searches.s.budgt: unknown key; did you mean budget?"),
    ],
)
def test_an_invalid_config_ends_with_one_line(search, line, tmp_path):
    done = run(tmp_path, check=False, **search)
    assert done.returncode == 1
    assert line in done.stderr
    shown = [text for text in done.stderr.splitlines() if text and "Using " not in text]
    assert len(shown) == 1, done.stderr
    assert not (tmp_path / "results").exists()


def test_invalid_data_ends_the_run_before_training(tmp_path):
    section = own_data(tmp_path, np.arange(100) % 2 + 1)
    done = run(tmp_path, check=False, top=section, dataset="pictures")
    assert done.returncode == 1
    (line,) = {text for text in done.stderr.splitlines() if "pictures.npz: y_train" in text}
    assert line == (
        "data: pictures.npz: y_train: labels range from 1 to 2, but no sample is of class 0; "
        "number the classes from 0 without gaps"
    )
    assert "Traceback" not in done.stderr
    lines = done.stderr.splitlines()
    end = lines.index(
        "when the problem is fixed, run the same command again: finished work is kept"
    )
    assert lines[end - 1] == line
    assert not search_folder(tmp_path).generation(0).exists()


def test_a_second_run_on_one_folder_ends_with_one_line(tmp_path):
    lock = ResultsLock(tmp_path / "results")
    done = run(tmp_path, check=False)
    lock.file.close()
    assert done.returncode == 1
    assert "another run is writing here" in done.stderr
    assert "Traceback" not in done.stderr
    assert not Path(tmp_path, "results", "s").exists()


def test_unwritable_results_end_the_run_with_one_line(tmp_path):
    (tmp_path / "results").write_text("no folder")
    done = run(tmp_path, check=False)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "results: is a file; results need a folder"
    assert "Traceback" not in done.stderr
