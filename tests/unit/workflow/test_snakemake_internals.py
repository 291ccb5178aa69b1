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
SEEDS = 2
SNAKEFILE = """
from pathlib import Path
from netsurgery.workflow.snakemake_internals import SnakemakeRun, missing_interfaces

snakemake_run = SnakemakeRun(workflow, [], Path("Snakefile"))
print("imported:", snakemake_run.is_imported)
print("results:", snakemake_run.take_prefix("results"))
snakemake_run.call(lambda: print("started"), lambda: print("ended"), print)

rule all:
    output: "made"
    shell: "touch {output}"

onstart:
    snakemake_run.call(lambda: None, lambda: print("ended"), print)
    print("missing:", missing_interfaces(workflow))
    snakemake_run.speed_up()
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
    assert "imported: False" in done.stdout
    assert "results: results\n" in done.stdout
    assert "started" not in done.stdout  # Snakemake's own onstart has replaced it
    assert done.stdout.count("ended") == 2
    assert "limiter: None" in done.stdout
    assert "ReplacedJobPruner" in done.stdout


def snakemake_run(arguments=(), prefix="", **attributes):
    """A running Snakemake; with a prefix it parses a module."""
    path_modifier = SimpleNamespace(replace_prefix=lambda path: prefix + path)
    modifier = SimpleNamespace(path_modifier=path_modifier, modify_rulename="ns_{}".format)
    workflow = SimpleNamespace(main_snakefile="mine.smk", modifier=modifier, **attributes)
    return SnakemakeRun(workflow, list(arguments), Path("/netsurgery/Snakefile"))


def test_a_module_takes_its_prefix_from_snakemake():
    run = snakemake_run(prefix="deep/")
    assert run.is_imported
    assert run.take_prefix("results") == "deep/results"
    assert run._workflow.modifier.path_modifier.modify("results/x") == "results/x"


def test_without_a_prefix_paths_are_left_to_snakemake():
    run = snakemake_run()
    before = run._workflow.modifier.path_modifier
    assert run.take_prefix("results") == "results"
    assert run._workflow.modifier.path_modifier is before


def test_planned_rules_are_found_under_the_name_of_a_module():
    jobs = [SimpleNamespace(rule=SimpleNamespace(name="ns_run_search"))]
    run = snakemake_run(dag=SimpleNamespace(jobs=jobs))
    assert run.plans_rule("run_search")
    assert not run.plans_rule("finalize")


def test_a_silenced_snakemake_logs_nothing(caplog):
    try:
        snakemake.logging.logger.error("before")
        snakemake_run().silence()
        snakemake.logging.logger.error("after")
    finally:
        snakemake.logging.logger.disabled = False
    assert [each.message for each in caplog.records] == ["before"]


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
    snakemake_run(local_exec=False, dag=dag).speed_up()
    assert dag.dag_processors == []
    assert "more memory" in caplog.text


@pytest.mark.parametrize(
    ("nodes", "cores"),
    [(None, 4), (8, None)],
)
def test_cores_are_those_of_a_run_on_this_machine(nodes, cores):
    given = SimpleNamespace(nodes=nodes, cores=4)
    assert snakemake_run(resource_settings=given).cores == cores


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--report"], True),
        (["--report", "x.html"], True),
        (["--report=x.zip"], True),
        (["--report-stylesheet", "x.css"], False),
        (["results/report.html"], False),
    ],
)
def test_a_report_of_snakemake_is_recognised(arguments, expected):
    assert snakemake_run(arguments).makes_report == expected


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
    assert snakemake_run(arguments, remote_exec=remote).is_cluster_job == expected
