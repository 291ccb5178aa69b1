"""Compare the predictions of `netsurgery simulate` with measured run times.

    python -m benchmarks.prediction FOLDER

FOLDER is the output folder of `benchmarks.speed`; `prediction.md` is written there. Each number of
cores is predicted from the records of the others. Times are from the start of a search's first
training step to the end of its last.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmarks.speed.pause_search import PAUSES, Pauses
from benchmarks.speed.report import TITLES

from netsurgery.analysis.simulation import Search, simulate
from netsurgery.analysis.timelines import timings_of
from netsurgery.search.layout import SearchFolder


def searches(folder: Path, workload: str) -> dict[int, Search]:
    """The searches of a workload, by number of cores."""
    found = {int(path.name.rpartition("-")[2]): path for path in folder.glob(f"{workload}-[0-9]*/")}
    return {cores: _search(found[cores], workload) for cores in sorted(found)}


def _search(results: Path, workload: str) -> Search:
    timings = timings_of(SearchFolder(results / workload / "seed0"))
    return Search.from_timings(Pauses.read(results / PAUSES).without_pauses(timings))


def rows(folder: Path) -> list[str]:
    """A table row for each pair of runs of a workload."""
    lines = []
    for workload, title in TITLES.items():
        runs = searches(folder, workload)
        for known, run in runs.items():
            for wanted, other in runs.items():
                predicted, measured = simulate([run], wanted).seconds, other.measured
                lines.append(
                    f"| {title}, {len(run.steps)} steps | {known} | {wanted} | {measured:.1f} s "
                    f"| {predicted:.1f} s | {predicted / measured - 1:+.0%} |"
                )
    return lines


def main() -> None:
    """Predict and write the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path)
    given = parser.parse_args()
    head = ["| search | cores of its records | cores | measured | predicted | error |"]
    head.append("| --- |" + " ---: |" * 5)
    table = "\n".join([*head, *rows(given.folder)])
    (given.folder / "prediction.md").write_text(f"{table}\n", encoding="utf-8")
    print(table)


if __name__ == "__main__":
    main()
