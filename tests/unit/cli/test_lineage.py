"""`netsurgery lineage`: how a candidate came to be."""

import re

import pytest

from netsurgery.storage.files import write_json
from tests.unit.cli.examples import LINEAGE, SUMMARY


@pytest.fixture
def finished(tmp_path):
    """The folder of a finished search."""
    (tmp_path / "lineage.csv").write_text(LINEAGE)
    write_json(tmp_path / "final" / "summary.json", SUMMARY | {"candidate": "g01c02"})
    return tmp_path


def test_a_lineage_starts_with_the_starting_network(finished, netsurgery):
    lines = netsurgery("lineage", finished, "g02c05").splitlines()
    assert [line.split()[0] for line in lines] == ["candidate", "g00c00", "g01c02", "g02c05"]
    assert re.split(r"  +", lines[2]) == [
        "g01c02",
        "remove_dense",
        "13",
        "829",
        "-",
        "31.0",
        "0.8909",
    ]
    assert "initial network" in lines[1]
    assert lines[3].endswith("1,234       -                60.5    not finite  g02/recuperation")


def test_multiplications_are_those_of_each_candidate(finished, netsurgery):
    path = finished / "lineage.csv"
    head, *rows = path.read_text().replace("parameters,", "parameters,multiplications,").split()
    path.write_text("\n".join([head, *(re.sub(r",(\d{3,4}),", r",\1,12345,", r) for r in rows)]))
    assert re.split(r"  +", netsurgery("lineage", finished).splitlines()[2])[3:5] == [
        "829",
        "12,345",
    ]


def test_the_default_is_the_final_candidate(finished, netsurgery):
    assert netsurgery("lineage", finished) == netsurgery("lineage", finished, "g01c02")


def test_an_unknown_candidate_is_an_error(finished, error_of):
    message = f"{finished}: no candidate g09c09; there are g00c00 to g02c05"
    assert error_of("lineage", finished, "g09c09") == message


def test_a_folder_without_a_lineage_is_an_error(finished, error_of):
    assert "lineage.csv: no such file" in error_of("lineage", finished / "final")
