"""The comparison of what newcomers get with what was tested."""

import numpy as np
import pandas as pd
import pytest
from benchmarks import newcomer

from netsurgery.search.layout import SearchFolder
from tests.support.final_models import FinalSearch

ROWS = 60
RNG = np.random.default_rng(0)


@pytest.mark.parametrize(
    ("metric", "values", "task"),
    [
        ("accuracy", np.array(["ash", "oak"])[np.arange(ROWS) % 2], "classification"),
        ("rmse", RNG.normal(1e-9, 1e-9, ROWS), "regression"),
    ],
)
def test_the_raw_file_gives_what_was_tested(metric, values, task, tmp_path, monkeypatch):
    table = pd.DataFrame(
        {"size": RNG.normal(size=ROWS), "soil": ["clay", "sand"] * 30, "y": values}
    )
    table.loc[7, "y"] = None  # predictions have this row, the samples do not
    table.to_csv(tmp_path / "t.csv", index=False)
    settings = {"source": "csv", "path": f"{tmp_path}/t.csv", "target": "y", "task": task}
    search = FinalSearch(tmp_path, settings | {"drop_missing_target": True})
    monkeypatch.chdir(tmp_path)
    found = newcomer.of_raw_file(SearchFolder(tmp_path), tmp_path / "t.csv")
    assert found == (metric, pytest.approx(search.scores[metric], rel=1e-5))


def test_a_command_that_refuses_says_why(tmp_path):
    with pytest.raises(newcomer.Refused, match=r"absent\.csv: does not exist"):
        newcomer.typed("init", str(tmp_path / "absent.csv"))
