"""What the workflow uses of Snakemake that Snakemake does not document."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest
import snakemake
import yaml
from benchmarks.snakemake_overhead import __main__ as overhead

from netsurgery.workflow.snakemake_internals import (
    TESTED_VERSIONS,
    ReplacedJobPruner,
    SnakemakeRun,
)

PROBE = Path(__file__).parents[2] / "support" / "dag_probe.py"
SEEDS = 3
SNAKEFILE = """
from netsurgery.workflow.snakemake_internals import SnakemakeRun, missing_interfaces

rule all:
    output: "made"
    shell: "touch {output}"

onstart:
    print("missing:", missing_interfaces(workflow))
    SnakemakeRun(workflow, []).speed_up()
    print("limiter:", workflow.scheduler.job_rate_limiter)
    print("processors:", [type(each).__name__ for each in workflow.dag.dag_processors])
"""


def test_the_installed_snakemake_is_a_tested_version():
    assert snakemake.__version__ in TESTED_VERSIONS, "run these tests on it, then add it"


def test_snakemake_has_the_interfaces_that_are_used(tmp_path):
    (tmp_path / "Snakefile").write_text(SNAKEFILE)
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", "--cores", "1", "--quiet", "all"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "missing: []" in done.stdout
    assert "limiter: None" in done.stdout
    assert "ReplacedJobPruner" in done.stdout


@dataclass(eq=False)
class Job:
    """The part of a job that the pruner reads."""

    output: list[str]


@pytest.fixture(scope="module")
def plans(tmp_path_factory):
    """What Snakemake holds after each plan of some searches in one DAG that train nothing."""
    folder = tmp_path_factory.mktemp("kept")
    iris = {"source": "sklearn", "name": "iris"}
    search = overhead.SEARCH | {"dataset": "iris", "budget": 40, "seeds": list(range(SEEDS))}
    config = {"cores_per_search": 0, "datasets": {"iris": iris}, "searches": {"s": search}}
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    given = ["--snakefile", overhead.ROOT / "Snakefile", "--directory", folder, "--cores", "2"]
    path = os.pathsep.join(filter(None, [str(overhead.STUB_PATH), os.environ.get("PYTHONPATH")]))
    run = subprocess.run(
        [sys.executable, PROBE, folder / "plans", *given, "--configfile", folder / "config.yaml"],
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr[-2000:]
    found = [json.loads(line) for line in (folder / "plans").read_text().splitlines()]
    assert len(found) > 2 * SEEDS  # each search plans several generations, and its end
    return found


@pytest.mark.workflow
def test_memory_holds_no_more_jobs_than_the_dag(plans):
    assert all(plan["memory"] == plan["jobs"] for plan in plans)


@pytest.mark.workflow
def test_each_job_of_the_dag_has_its_own_number(plans):
    assert all(plan["numbers"] == plan["jobs"] for plan in plans)


@pytest.mark.workflow
def test_a_plan_replaces_no_job_of_another_search(plans):
    for plan in plans:
        _, seed = plan["planned"]
        assert {of for _, of in plan["replaced"]} <= {seed, ""}
        assert 0 < len(plan["replaced"]) <= 4  # once each


def test_a_replaced_job_leaves_every_table():
    old, new, other = Job(["a"]), Job(["a"]), Job(["b"])
    dag = SimpleNamespace(
        jobs={new: None, other: None}.keys(),
        dag_processors=[SimpleNamespace(processed_jobs={old, other})],
        _jobid={old: 0, other: 1, new: 0},
        _priority={old: 1, new: 1},
        _seen_outputs={"a": old, "b": other},
        _checked_jobs={old, new, other},
        _checked_needrun_jobs={old},
    )
    pruner = ReplacedJobPruner(dag)
    for _ in range(2):
        pruner.process()
        assert len(dag._jobid) == 3  # which is the next job's number
        assert old not in dag._jobid
        assert dag._jobid[new] == 0
        assert dag._priority == {new: 1}
        assert dag._seen_outputs == {"a": new, "b": other}
        assert dag._checked_jobs == {new, other}
        assert dag._checked_needrun_jobs == set()
        assert dag.dag_processors[0].processed_jobs == {other}


def test_a_dag_with_other_tables_is_left_alone(caplog):
    dag = SimpleNamespace(jobs={}, dag_processors=[])
    workflow = SimpleNamespace(local_exec=False, dag=dag)
    SnakemakeRun(workflow, []).speed_up()
    assert dag.dag_processors == []
    assert "more memory" in caplog.text


@pytest.mark.parametrize(
    ("nodes", "arguments", "cores"),
    [(None, [], 4), (8, [], None), (None, ["--report"], None)],
)
def test_cores_are_those_of_a_run_on_this_machine(nodes, arguments, cores):
    workflow = SimpleNamespace(resource_settings=SimpleNamespace(nodes=nodes, cores=4))
    assert SnakemakeRun(workflow, arguments).cores == cores


@pytest.mark.parametrize(
    ("remote", "arguments", "environment", "expected"),
    [
        (False, [], {}, False),
        (True, [], {}, True),
        (True, [], {"SLURM_STEP_ID": "0"}, False),
        (True, ["slurm-jobstep"], {"SLURM_STEP_ID": "0"}, True),
    ],
)
def test_only_the_first_snakemake_of_a_job_is_a_cluster_job(
    remote, arguments, environment, expected, monkeypatch
):
    monkeypatch.delenv("SLURM_STEP_ID", raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    run = SnakemakeRun(SimpleNamespace(remote_exec=remote), arguments)
    assert run.is_cluster_job == expected
