"""The benchmark of the graph: its stub stands for every job that trains."""

import pytest
from benchmarks.snakemake_overhead import __main__ as graph

pytestmark = pytest.mark.workflow


def test_a_search_that_trains_nothing_finishes(tmp_path):
    row = graph.measure(1, "flat", 2, tmp_path, limit=600, budget=14)
    log = (tmp_path / "flat-1" / "log").read_text()
    assert row["finished"], log[-2000:]
    assert row["jobs"] > 20
