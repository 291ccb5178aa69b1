"""Reading lineage tables."""

import csv

from netsurgery.analysis.lineage_table import read_lineage
from netsurgery.search.lineage import LINEAGE_COLUMNS
from tests.support.plotted_searches import (
    family,
)


def test_a_lineage_table_is_read_as_it_was_written(tmp_path):
    _, rows, _ = family()
    rows[1]["position"] = "3.body.1"
    path = tmp_path / "lineage.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, LINEAGE_COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    assert read_lineage(path) == rows
