"""`netsurgery simulate` against runs that really were: each number of cores from the others.

    python -m benchmarks.prediction OUTPUT [--cores 1 2] [--budget 150] [--repeats 2]

OUTPUT gets `prediction.json` and `prediction.md`. Seconds are from the begin of a search's first
training step to the end of its last.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from benchmarks.speed.__main__ import search

from netsurgery.files import write_json
from netsurgery.layout import SearchFolder
from netsurgery.simulation import Search, simulate
from netsurgery.timelines import jobs_of


def measure(cores: int, budget: int, folder: Path) -> Search:
    """Run the search of the digits."""
    workload = {
        "search": {"topology": "cnn-small", "budget": budget},
        "dataset": {"source": "sklearn", "name": "digits"},
    }
    run = search("digits", workload, cores, folder)
    return Search.from_jobs(jobs_of(SearchFolder(run["folder"])))


def main() -> None:
    """Measure and predict."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("output", type=Path)
    parser.add_argument("--cores", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--budget", type=int, default=150)
    parser.add_argument("--repeats", type=int, default=2)
    given = parser.parse_args()
    given.output.mkdir(parents=True, exist_ok=True)
    rows = []
    for _ in range(given.repeats):
        runs = {cores: measure(cores, given.budget, given.output) for cores in given.cores}
        rows += [
            {
                "from": known,
                "to": wanted,
                "measured": runs[wanted].measured,
                "predicted": simulate([runs[known]], wanted).seconds,
                "steps": len(runs[known].steps),
            }
            for known in runs
            for wanted in runs
        ]
        print(json.dumps(rows[-(len(runs) ** 2) :]), flush=True)
    write_json(given.output / "prediction.json", rows)
    lines = [
        "| records of | run on | measured | predicted | off by |",
        "| --- | --- | ---: | ---: | ---: |",
    ]
    for row in rows:
        off = row["predicted"] / row["measured"] - 1
        lines.append(
            f"| {row['from']} cores | {row['to']} cores | {row['measured']:.1f} s "
            f"| {row['predicted']:.1f} s | {off:+.0%} |"
        )
    (given.output / "prediction.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
