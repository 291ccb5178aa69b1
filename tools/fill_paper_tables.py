"""Update the tables and plots of docs/reproduction/papers.md with finished runs of the experiments.

    python -m tools.fill_paper_tables [RESULTS]

The experiments take days, so they are run in parts: the figures of the finished runs in RESULTS are
added to those in resources/papers/runs, and everything is made anew from these. What stands between
`<!-- ectonas/table1 -->` and `<!-- end -->` is replaced by the table of that name; plots are copied
to docs/images. Plots of single runs need the files of one, and stay as they are without. All of a
paper stays as it is until every run on one of its datasets is finished.
"""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from netsurgery.analysis.runs import Experiment, Run, experiment_of, listing
from netsurgery.config import loading
from netsurgery.config.files import SCHEMA, read_file
from netsurgery.reproduction.kept_runs import keep, with_kept
from netsurgery.reproduction.papers import write_paper
from netsurgery.storage.files import write_text
from netsurgery.workflow.studies import paper_inputs

ROOT = Path(__file__).parents[1]
PAGE, IMAGES = ROOT / "docs/reproduction/papers.md", ROOT / "docs/images"
KEPT, NOWHERE = ROOT / "resources/papers/runs", Path("nowhere")
EXPERIMENTS = {"ectonas": "ectonas-excerpts", "surgeon": "surgeon-excerpt"}  # of each paper
MARKED_TABLE = re.compile(r"<!-- ([a-z]+/[\w-]+) -->\n.*?<!-- end -->", re.DOTALL)


def experiment(paper: str, results: Path | None) -> Experiment:
    """A paper's experiment with all its finished runs, to which those of a folder are added."""
    name = EXPERIMENTS[paper]
    config = loading.load(read_file(ROOT / f"config/papers/{name}.yaml"), SCHEMA, data_exists=False)
    found = experiment_of(listing(config), results or NOWHERE)
    if not paper_inputs(config, [paper]):  # the trials there are those of the other paper
        found = replace(found, pooling_trials=NOWHERE)
    path = KEPT / f"{name}.jsonl"
    if results is not None:
        keep(found, path)
    return with_kept(found, path)


def has_whole_dataset(runs: Iterable[Run]) -> bool:
    """Whether all runs on some dataset are finished."""
    finished: dict[str, bool] = {}
    for run in runs:
        name = run.settings["dataset"]
        finished[name] = finished.get(name, True) and run.result is not None
    return any(finished.values())


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
    results = Path(sys.argv[1]) if sys.argv[1:] else None
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder)
        for paper in EXPERIMENTS:
            found = experiment(paper, results)
            if has_whole_dataset(found.runs):
                write_paper(found, paper, made / paper)
        text = PAGE.read_text(encoding="utf-8")
        write_text(PAGE, filled(text, made))
        for name in re.findall(r"\(\.\./images/([\w-]+)\.png\)", text):
            paper, _, plot = name.partition("-")
            if (path := made / paper / f"{plot}.png").exists():  # otherwise of another experiment
                shutil.copyfile(path, IMAGES / f"{name}.png")


if __name__ == "__main__":
    main()
