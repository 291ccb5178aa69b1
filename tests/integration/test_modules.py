"""The workflow as a module of another one, and included by another one."""

import pytest

from netsurgery.storage.files import read_json
from tests.support.factories import ROOT
from tests.support.workflow_runs import run

pytestmark = pytest.mark.workflow

HOOKS = """
onstart:
    print("their own start")

onsuccess:
    print("their own success")
"""
MODULE = f"""
module surgery:
    snakefile: "{ROOT}/Snakefile"
    config: config
    prefix: "inner"

use rule * from surgery as ns_*

use rule train_offspring from surgery as ns_train_offspring with:
    resources: mem_mb=700

rule use_model:
    default_target: True
    input: "inner/results/s/seed0/final/model.keras", "inner/results/s/seed0/final/summary.json"
    output: touch("used.txt")

rule make_table:
    output: "made/table.csv"
    run:
        rows = [f"{{i % 7}},{{i % 5}},{{'p' if i % 7 > i % 5 else 'q'}}" for i in range(140)]
        open(output[0], "w").write("\\n".join(["a,b,y", *rows, ""]))
{HOOKS}"""
INCLUDE = f"""
rule use_split:
    default_target: True
    input: "results/s/seed0/split.npz"
    output: touch("used.txt")

include: "{ROOT}/Snakefile"
{HOOKS}"""
TABLE = {"source": "csv", "path": "made/table.csv", "target": "y"}
SETTINGS = {
    "top": {"datasets": {"t": TABLE}},
    "dataset": "t",
    "budget": 12,
    "warm_up_epochs": 1,
    "rounds": 1,
}


def run_as(workflow, folder, *arguments, **options):
    """Run a workflow that imports this one."""
    folder.mkdir(exist_ok=True)
    snakefile = folder / "Snakefile"
    snakefile.write_text(workflow)
    return run(folder, *arguments, snakefile=snakefile, **options)


@pytest.fixture(scope="module")
def module(tmp_path_factory):
    """A workflow that makes a table, trains on it in a module, and uses the model."""
    folder = tmp_path_factory.mktemp("module")
    return folder, run_as(MODULE, folder, own_servers=True, **SETTINGS)


def test_a_module_runs_with_a_lock_and_warm_servers(module):
    folder, done = module
    assert (folder / "used.txt").exists()
    assert not (folder / "results").exists()
    results = folder / "inner" / "results"
    assert read_json(results / "s/seed0/final/summary.json")["candidates"] > 1
    assert [each["name"] for each in read_json(results / "searches.json")["searches"]] == ["s"]
    assert (results / ".lock").exists()
    assert (results / "_logs" / "server-training.log").exists()
    assert "their own start" in done.stdout
    assert "their own success" in done.stdout


def test_a_module_names_and_repairs_damaged_files(module):
    folder, _ = module
    summary = folder / "inner/results/s/seed0/final/summary.json"
    summary.write_text(summary.read_text().replace("{", "{ ", 1))
    (folder / "used.txt").unlink()  # what is up to date does not make Snakemake miss its inputs
    again = run_as(MODULE, folder, **SETTINGS)
    assert "summary.json: damaged" in again.stderr
    assert read_json(summary)
    assert "train_offspring" not in again.stderr


def test_all_targets_of_a_module_have_its_rules(module):
    folder, _ = module
    planned = run_as(MODULE, folder, "--dry-run", "ns_all", **SETTINGS).stdout
    assert "ns_log_search" in planned
    assert "ns_train_offspring" not in planned


def test_a_workflow_includes_this_one_and_has_its_own_start(tmp_path):
    done = run_as(INCLUDE, tmp_path, own_servers=True, budget=10)
    assert (tmp_path / "used.txt").exists()
    assert (tmp_path / "results" / "searches.json").exists()
    assert (tmp_path / "results" / "_logs" / "server-training.log").exists()
    assert "their own start" in done.stdout
