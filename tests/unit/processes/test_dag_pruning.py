"""What Snakemake keeps of its graph while searches run: the graph, and nothing else."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from benchmarks.snakemake_overhead import __main__ as graph

from netsurgery.processes.snakemake_dag import ReplacedJobPruner

WATCHED = Path(__file__).parents[2] / "support" / "dag_probe.py"
SEEDS = 3


@dataclass(eq=False)
class Job:
    """As much of a job as is looked at."""

    output: list[str]


@pytest.fixture(scope="module")
def plans(tmp_path_factory):
    """What was kept after each plan of some searches in one graph, in which nothing is trained."""
    folder = tmp_path_factory.mktemp("kept")
    iris = {"source": "sklearn", "name": "iris"}
    search = graph.SEARCH | {"dataset": "iris", "budget": 40, "seeds": list(range(SEEDS))}
    config = {"cores_per_search": 0, "datasets": {"iris": iris}, "searches": {"s": search}}
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    given = ["--snakefile", graph.ROOT / "Snakefile", "--directory", folder, "--cores", "2"]
    path = os.pathsep.join(filter(None, [str(graph.FIRST), os.environ.get("PYTHONPATH")]))
    run = subprocess.run(
        [sys.executable, WATCHED, folder / "plans", *given, "--configfile", folder / "config.yaml"],
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr[-2000:]
    found = [json.loads(line) for line in (folder / "plans").read_text().splitlines()]
    assert len(found) > 2 * SEEDS  # each search plans more than one generation, and its end
    return found


@pytest.mark.workflow
def test_no_more_jobs_are_kept_than_the_graph_has(plans):
    assert all(plan["memory"] == plan["graph"] for plan in plans)


@pytest.mark.workflow
def test_each_job_of_the_graph_has_a_number_of_its_own(plans):
    assert all(plan["numbers"] == plan["graph"] for plan in plans)


@pytest.mark.workflow
def test_a_plan_makes_no_job_of_another_search_anew(plans):
    for plan in plans:
        _, seed = plan["planned"]
        assert {of for _, of in plan["anew"]} <= {seed, ""}
        assert 0 < len(plan["anew"]) <= 4  # once each


def test_a_replaced_job_leaves_every_book_and_its_number_to_its_successor():
    old, new, other = Job(["a"]), Job(["a"]), Job(["b"])
    books = SimpleNamespace(
        jobs={new: None, other: None}.keys(),
        dag_processors=[SimpleNamespace(processed_jobs={old, other})],
        _jobid={old: 0, other: 1, new: 0},
        _priority={old: 1, new: 1},
        _seen_outputs={"a": old, "b": other},
        _checked_jobs={old, new, other},
        _checked_needrun_jobs={old},
    )
    releaser = ReplacedJobPruner(books)
    for _ in range(2):
        releaser.process()
        assert len(books._jobid) == 3  # which is the next job's number
        assert old not in books._jobid
        assert books._jobid[new] == 0
        assert books._priority == {new: 1}
        assert books._seen_outputs == {"a": new, "b": other}
        assert books._checked_jobs == {new, other}
        assert books._checked_needrun_jobs == set()
        assert books.dag_processors[0].processed_jobs == {other}


def test_a_graph_with_other_books_is_told_apart():
    with pytest.raises(AttributeError):
        ReplacedJobPruner(SimpleNamespace(jobs={}))
