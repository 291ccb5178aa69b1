"""The architecture page against the code that it describes."""

import re
from pathlib import Path

import pytest
from tools import draw_architecture

ROOT = Path(__file__).parents[3]
FOLDERS = "src tests workflow config tools docs benchmarks examples resources".split()
PATH = re.compile(rf"`((?:{'|'.join(FOLDERS)})/[\w./-]+)`")
LISTED = re.compile(r"(?<=`, )`([\w]+\.\w+)`")  # a file in the folder of the one before it
PAGES = [ROOT / "CONTRIBUTING.md", ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def named_files(line):
    """The files that a line names; one without a folder is in that of the file before it."""
    found = []
    for path, name in re.findall(rf"{PATH.pattern}|{LISTED.pattern}", line):
        if path:
            found.append(ROOT / path)
        elif found:
            found.append(found[-1].parent / name)
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_files_that_pages_name_exist(page):
    named = [path for line in page.read_text().splitlines() for path in named_files(line)]
    assert [str(path) for path in named if not path.exists()] == []


def test_architecture_names_at_least_25_places():
    table = draw_architecture.PAGE.read_text().split("## Where do I find")[1]
    assert sum(1 for line in table.splitlines() if PATH.search(line)) >= 25


def test_package_table_follows_the_contract():
    layers, _ = draw_architecture.contracts()
    assert list(draw_architecture.descriptions()) == layers


def test_architecture_drawing_is_up_to_date():
    drawn = draw_architecture.draw(*draw_architecture.contracts(), draw_architecture.descriptions())
    assert draw_architecture.DRAWING.read_text() == drawn
