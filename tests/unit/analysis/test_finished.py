"""Finished searches of a results folder."""

import pytest

from netsurgery import finished_searches
from netsurgery.storage.files import write_json
from tests.unit.cli.examples import LINEAGE, SUMMARY


@pytest.fixture
def results(tmp_path):
    """Three finished searches and one that is not finished."""
    for name, seed in (("wide", 11), ("digits", 3), ("wide", 2)):
        folder = tmp_path / name / f"seed{seed}"
        write_json(
            folder / "final" / "summary.json", SUMMARY | {"seed": seed, "candidate": "g01c02"}
        )
        (folder / "lineage.csv").write_text(LINEAGE)
    (tmp_path / "unfinished" / "seed0").mkdir(parents=True)
    return tmp_path


def test_searches_are_sorted_by_name_and_seed(results):
    found = finished_searches(results)
    assert [(each.name, each.seed) for each in found] == [("digits", 3), ("wide", 2), ("wide", 11)]
    assert found[0].model == results / "digits" / "seed3" / "final" / "model.keras"
    assert found[0].summary["parameters"] == SUMMARY["parameters"]


def test_the_lineage_starts_with_the_starting_network(results):
    search, *_ = finished_searches(results)
    assert [row["candidate"] for row in search.lineage()] == ["g00c00", "g01c02"]
    assert [row["candidate"] for row in search.lineage("g02c05")][-1] == "g02c05"
    with pytest.raises(KeyError):
        search.lineage("g09c09")


def test_a_folder_without_results_has_no_searches(tmp_path):
    assert finished_searches(tmp_path) == []
