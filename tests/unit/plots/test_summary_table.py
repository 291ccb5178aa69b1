"""The table of all searches."""

import csv
from pathlib import Path

from netsurgery import plots
from netsurgery.search.layout import SearchFolder
from netsurgery.storage.files import write_json
from tests.support.plotted_searches import (
    start,
    summary,
    write_baseline,
)


def test_the_summary_has_a_row_per_search_and_seed(tmp_path):
    finished = write_baseline(tmp_path / "results")
    other = SearchFolder(tmp_path / "results" / "a&b" / "seed1")
    record = start(0.25)
    costs = {"multiplications": 17256, "latency": 0.0000625}  # which older versions lack
    headline = summary(record, [record], seed=1, test_accuracy=None, test_score=None) | costs
    write_json(other.final / "summary.json", headline)
    output = Path(tmp_path, "summary.csv")
    plots.write_summary_table([str(finished.root), str(other.root)], output)
    with output.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    names = [(row["search"], row["seed"], row["test_accuracy"]) for row in rows]
    assert names == [("plain", "7", "0.875"), ("a&b", "1", "")]
    counted = [row["multiplications"] for row in rows]
    assert [float(each) if each else None for each in counted] == [None, 17256]
    assert [row["latency"] for row in rows] == ["", "6.25e-05"]
    page = output.with_suffix(".html").read_text(encoding="utf-8")
    assert "a&amp;b" in page
    assert "0.875" in page
    assert "nan" not in page
