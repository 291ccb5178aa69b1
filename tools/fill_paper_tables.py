"""Update the tables and plots of docs/reproduction/papers.md from the results of an experiment.

    python tools/fill_paper_tables.py RESULTS

The text between `<!-- ectonas/table1 -->` and `<!-- end -->` is replaced by the table that the
workflow wrote to RESULTS/papers/ectonas/table1.md; plots are copied to docs/images.
"""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

from netsurgery.storage.files import write_text

DOCS = Path(__file__).parents[1] / "docs"
MARKED_TABLE = re.compile(r"<!-- ([a-z]+/[\w-]+) -->\n.*?<!-- end -->", re.DOTALL)


def filled(page: str, tables: Path) -> str:
    """The page with its tables updated; tables without a new file keep their content."""

    def update(match: re.Match[str]) -> str:
        path = tables / f"{match.group(1)}.md"
        if not path.exists():
            return match.group(0)
        return f"<!-- {match.group(1)} -->\n{path.read_text(encoding='utf-8')}\n<!-- end -->"

    return MARKED_TABLE.sub(update, page)


def main() -> None:
    """Update the tables of the page, and copy the plots that it shows."""
    papers, page = Path(sys.argv[1]) / "papers", DOCS / "reproduction" / "papers.md"
    text = page.read_text(encoding="utf-8")
    write_text(page, filled(text, papers))
    for name in re.findall(r"\(\.\./images/([\w-]+)\.png\)", text):
        paper, _, plot = name.partition("-")
        if (path := papers / paper / f"{plot}.png").exists():  # otherwise of another experiment
            shutil.copyfile(path, DOCS / "images" / f"{name}.png")


if __name__ == "__main__":
    main()
