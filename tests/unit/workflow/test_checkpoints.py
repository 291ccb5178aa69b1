"""Plans as input functions read them."""

import os

import pytest

from netsurgery.search.plans import FinalPlan
from netsurgery.storage.files import write_json
from netsurgery.workflow import checkpoints as module
from tests.support.workflow_searches import IncompleteError, checkpoints


def write_plan(results, batches):
    path = results / "s" / "seed0" / "generation01" / "plan.json"
    plan = FinalPlan(generation=1, parents=(), remaining_batches=batches, reason="")
    write_json(path, plan.to_json())
    return path


def test_a_plan_that_is_missing_reaches_snakemake(tmp_path):
    plans = checkpoints(tmp_path)
    with pytest.raises(IncompleteError):
        plans.read_generation("plan_generation", "s", 0, 1)
    with pytest.raises(IncompleteError):
        plans.read_try("s", 0, 1, 1)


def test_a_plan_is_read_once_per_version(tmp_path, monkeypatch):
    reads = []
    monkeypatch.setattr(
        module, "read_plan", lambda path, read=module.read_plan: reads.append(path) or read(path)
    )
    plans = checkpoints(tmp_path)
    path = write_plan(tmp_path, 3)
    assert plans.read_generation("plan_generation", "s", 0, 1).remaining_batches == 3
    assert plans.read_generation("plan_generation", "s", 0, 1).remaining_batches == 3
    write_plan(tmp_path, 4)
    os.utime(path, ns=(0, path.stat().st_mtime_ns + 1_000))
    assert plans.read_generation("plan_generation", "s", 0, 1).remaining_batches == 4
    assert reads == [path, path]
