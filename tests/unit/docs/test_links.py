"""Links between the pages of the repository."""

import os
from pathlib import Path

import pytest

from tests.support.factories import ROOT
from tests.support.pages import anchors, links, pages


@pytest.mark.parametrize("page", pages(), ids=str)
def test_links_lead_to_files_and_headings(page):
    broken = []
    for target in links(page):
        path, _, anchor = target.partition("#")
        found = Path(os.path.normpath(page.parent / path)) if path else page
        exists = (ROOT / found).exists()
        if not exists or (anchor and anchor not in anchors(found)):
            broken.append(target)
    assert not broken


def test_every_figure_is_shown_by_a_page():
    shown = {(ROOT / page.parent / target).resolve() for page in pages() for target in links(page)}
    figures = {path.resolve() for path in (ROOT / "docs" / "images").iterdir()}
    assert not figures - shown


def test_an_anchor_is_the_heading_as_github_writes_it(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("# One, two\n\n## `three`\n\n## A\n\n## A\n\n```\n# no heading\n```\n")
    assert anchors(page) == {"one-two", "three", "a", "a-1"}
