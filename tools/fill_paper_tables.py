"""Update the tables and plots of docs/reproduction/papers.md from the results of an experiment.

    python -m tools.fill_paper_tables RESULTS

The tables and figures are made anew in RESULTS/papers, of the runs that are finished. What stands
between `<!-- ectonas/table1 -->` and `<!-- end -->` is replaced by
RESULTS/papers/ectonas/table1.md; plots are copied to docs/images. No run is started, so results of
an older version will do.
"""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

from netsurgery.reproduction.paper_tables import TABLES
from netsurgery.reproduction.papers import write_paper
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
    results, page = Path(sys.argv[1]), DOCS / "reproduction" / "papers.md"
    papers = results / "papers"
    for paper in TABLES:
        write_paper(results, paper)
    text = page.read_text(encoding="utf-8")
    write_text(page, filled(text, papers))
    for name in re.findall(r"\(\.\./images/([\w-]+)\.png\)", text):
        paper, _, plot = name.partition("-")
        if (path := papers / paper / f"{plot}.png").exists():  # otherwise of another experiment
            shutil.copyfile(path, DOCS / "images" / f"{name}.png")


if __name__ == "__main__":
    main()
