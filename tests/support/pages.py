"""The Markdown pages of the repository, and what stands in them."""

import re
from pathlib import Path

from tests.support.factories import ROOT

PLACES = ["*.md", "docs/**/*.md", "config/**/*.md", ".github/**/*.md", "results/README.md"]
FENCE = re.compile(r"^```(?P<language>\w*)\n(?P<text>.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]\n]*\]\((?P<target>[^)\s]+)\)")
HEADING = re.compile(r"^#{1,6} (?P<title>.+)$", re.MULTILINE)


def pages() -> list[Path]:
    """All pages, relative to the root."""
    return sorted(path.relative_to(ROOT) for place in PLACES for path in ROOT.glob(place))


def blocks(page: Path, language: str) -> list[str]:
    """The code blocks of a page in a language; "" for those that name none."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return [block["text"] for block in FENCE.finditer(text) if block["language"] == language]


def commands(page: Path) -> list[str]:
    """The commands of a page: every line of a block without a language that starts a program."""
    lines = [
        line.removeprefix("$ ").removeprefix(".venv/bin/").partition("  #")[0].strip()
        for block in blocks(page, "")
        for line in block.replace("\\\n", " ").splitlines()
    ]
    return [line for line in lines if re.match(r"(netsurgery|snakemake|make|python) ", line)]


def prose(page: Path) -> str:
    """The text of a page without its code blocks."""
    return FENCE.sub("", (ROOT / page).read_text(encoding="utf-8"))


def links(page: Path) -> list[str]:
    """The targets of all links and images of a page that lead into the repository."""
    found = (link["target"] for link in LINK.finditer(prose(page)))
    return [target for target in found if not re.match(r"[a-z]+:", target)]


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives the headings of a page."""
    found: set[str] = set()
    for heading in HEADING.finditer(prose(page)):
        title = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading["title"]).lower()
        slug = re.sub(r"[^\w\- ]", "", title).replace(" ", "-")
        number = 1
        while (name := slug if number == 1 else f"{slug}-{number - 1}") in found:
            number += 1
        found.add(name)
    return found
