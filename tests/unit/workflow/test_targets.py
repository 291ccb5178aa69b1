"""What a run makes of each search."""

import os

import pytest

from netsurgery.workflow.inputs import Inputs
from netsurgery.workflow.targets import Targets
from tests.support.tracked_search import example
from tests.support.workflow_searches import make_searches, wildcards

SEEDS = {
    "s": {"algorithm": "ectonas", "dataset": "digits", "topology": "ff-small", "seeds": [0, 1]}
}


def targets_of(results, cores_per_search=0, given=None, **top):
    searches = make_searches(results, given, **top)
    return Targets(searches, Inputs(searches), cores_per_search)


def test_in_one_dag_all_files_of_all_searches_are_requested(tmp_path):
    found = targets_of(tmp_path, given=SEEDS).final_targets()
    functions = [each for each in found if callable(each)]
    assert len(functions) == 2 * 2
    assert f"{tmp_path}/s/seed1/plots/accuracy.svg" in found
    assert f"{tmp_path}/report.html" in found


def test_the_run_of_a_single_search_makes_no_summary(tmp_path):
    found = targets_of(tmp_path, given=SEEDS, only_run="s/1").final_targets()
    assert len([each for each in found if callable(each)]) == 2
    assert f"{tmp_path}/report.html" not in found


def test_searches_with_a_process_each_are_requested_by_markers(tmp_path):
    targets = targets_of(tmp_path, 2, SEEDS)
    markers = [f"{tmp_path}/_runs/s/seed{seed}.done" for seed in (0, 1)]
    assert targets.final_targets()[:2] == markers
    assert targets.summary_inputs() == targets.report_inputs() == markers


def test_a_finished_search_has_records_model_and_lineage(tmp_path):
    made = example(tmp_path / "results")
    targets = targets_of(made.results)
    files = targets.search_outputs("s", 0)(None)
    assert str(made.folder.final / "model.keras") in files
    assert str(made.folder.record(1, "recuperation/g01c00")) in files
    assert str(made.results / "_data/digits/x.npy") in files
    assert len(files) == len(set(files))


def test_mlflow_follows_a_search_that_is_not_finished(tmp_path):
    made = example(tmp_path / "results")
    files = targets_of(made.results).tracking_markers("s", 0)
    folder = made.folder
    generations = [str(folder.generation(number) / "tracked.json") for number in (0, 1, 2)]
    assert files(None) == [*generations, str(folder.final / "tracked.json")]
    folder.plan(2).unlink()
    assert files(None) == generations[:2]


def test_a_missing_file_of_a_finished_search_changes_its_token(tmp_path):
    made = example(tmp_path / "results")
    targets = targets_of(made.results, 1)
    token = targets.completeness_token
    assert token(wildcards()) is True  # never finished in a process of its own
    marker = targets.search_marker("s", 0)
    os.makedirs(os.path.dirname(marker))
    open(marker, "w").close()
    assert token(wildcards()) is True
    made.folder.record(1, "recuperation/g01c00").unlink()
    assert token(wildcards()) is not True


@pytest.mark.parametrize("cores", [0, 3])
def test_folders_of_all_searches_are_summarized(tmp_path, cores):
    targets = targets_of(tmp_path, cores, SEEDS)
    assert targets.search_folders() == [f"{tmp_path}/s/seed0", f"{tmp_path}/s/seed1"]
