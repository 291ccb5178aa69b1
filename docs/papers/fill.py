"""Put the tables of an experiment into docs/reproduction/papers.md: docs/papers/fill.py RESULTS.

Between `<!-- ectonas/table1 -->` and `<!-- end -->` comes what the workflow wrote to
RESULTS/papers/ectonas/table1.md; figures go to docs/images.
"""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

from netsurgery.storage.files import write_text

DOCS = Path(__file__).parents[1]
PLACE = re.compile(r"<!-- ([a-z]+/[\w-]+) -->\n.*?<!-- end -->", re.DOTALL)


def filled(page: str, tables: Path) -> str:
    """A page with its tables, those that are not there left as they are."""

    def table(found: re.Match[str]) -> str:
        path = tables / f"{found.group(1)}.md"
        if not path.exists():
            return found.group(0)
        return f"<!-- {found.group(1)} -->\n{path.read_text(encoding='utf-8')}\n<!-- end -->"

    return PLACE.sub(table, page)


def main() -> None:
    """Fill the page, and take the pictures that it shows."""
    tables, page = Path(sys.argv[1]) / "papers", DOCS / "reproduction" / "papers.md"
    text = page.read_text(encoding="utf-8")
    write_text(page, filled(text, tables))
    for name in re.findall(r"\(\.\./images/([\w-]+)\.png\)", text):
        paper, _, picture = name.partition("-")
        if (found := tables / paper / f"{picture}.png").exists():  # else of another experiment
            shutil.copyfile(found, DOCS / "images" / f"{name}.png")


if __name__ == "__main__":
    main()
