"""Print the tables of docs/reproduction/surgeon.md, and draw its plots of single searches.

    python tools/surgeon_tables.py RESULTS [SEARCH BASELINE SEED OUTPUT.png]

RESULTS holds finished runs of config/papers/surgeon-tie-breaks.yaml. The tables are in Markdown.
With the other arguments it also plots one search against its baseline.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from netsurgery import plots
from netsurgery.search.ectonas.generation import SEARCH
from netsurgery.search.layout import SearchFolder
from netsurgery.search.scores import rank_by_surgeon_score
from netsurgery.search.surgeon import decision_point, stopping
from netsurgery.search.winners import read_winners
from netsurgery.storage.files import read_json

# validation accuracies of table 3 in percent: baseline → Surgeon
PAPER = {
    ("cifar10-15k", "surgeon-small"): "CIFAR-10 28 → 34",
    ("cifar10-15k", "surgeon-medium"): "CIFAR-10 32 → 38",
    ("cifar10-15k", "surgeon-large"): "CIFAR-10 49 → 51",
    ("mnist10k", "surgeon-small"): "EMNIST 67 → 73",
    ("mnist10k", "surgeon-medium"): "EMNIST 63 → 71",
    ("mnist10k", "surgeon-large"): "EMNIST 83 → 84",
}
ORDERS = {"surgeon": "fewer_parameters", "surgeon-more": "more_parameters"}  # by the search's name
STOPS: dict[str, dict[str, int]] = {
    "patience: 2": {"patience": 2},
    "patience: 3": {"patience": 3},
    "max_reversals: 1": {"max_reversals": 1},
    "max_reversals: 2": {"max_reversals": 2},
}


def mean(values: Iterable[float], number_format: str = "{:.1f}") -> str:
    """Mean and, for several values, standard deviation."""
    values = list(values)
    text = number_format.format(statistics.fmean(values))
    if len(values) == 1:
        return text
    return f"{text} ± {number_format.replace('+', '').format(statistics.stdev(values))}"


# finished searches by name, dataset and topology, then by seed
FinishedRuns = dict[tuple[str, str, str], dict[int, SearchFolder]]


def read_finished(results: Path) -> FinishedRuns:
    """All finished runs of a results folder."""
    finished: FinishedRuns = {}
    for path in sorted(results.glob("*/seed*/final/summary.json")):
        summary = read_json(path)
        name = path.parents[2].name.split(".")[0]
        key = name, summary["dataset"], summary["topology"]
        finished.setdefault(key, {})[summary["seed"]] = SearchFolder(path.parent.parent)
    return finished


def summary_of(folder: SearchFolder) -> dict[str, Any]:
    """The summary of a finished search."""
    return read_json(folder.final / "summary.json")


def epochs_without_losers(folder: SearchFolder) -> float:
    """Epochs trained without the recuperation of candidates that were not selected."""
    records = folder.records()
    selected = {record.candidate for record in records if "slot" in record.step}
    counted = [r for r in records if r.step != "recuperation" or r.candidate in selected]
    return sum(record.epochs_spent for record in counted)


def decisions(folder: SearchFolder) -> list[dict[str, Any]]:
    """The plans of a search's decision points."""
    return [plan for plan in folder.plans() if plan["action"] == SEARCH]


def simulate_stopping(folder: SearchFolder, early_stopping: dict[str, int]) -> tuple[float, float]:
    """Epochs spent and the winner's validation accuracy with early stopping."""
    past, spent = [], 0
    for number in range(len(decisions(folder)) + 1):
        records, _, spent = read_winners(folder.winners(number))
        past.append(max(records, key=lambda record: record.score or 0.0))
        best = [record.score or 0.0 for record in past]
        states = [stopping.state_of(decision_point.topology_of(record)) for record in past]
        if stopping.reason_to_stop(best, states, early_stopping):
            break
    winner = records[rank_by_surgeon_score(records, 1)[0]]
    return spent / winner.batches_per_epoch, winner.score or 0.0


def table(header: str, rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown."""
    columns = [f" {name.strip()} " for name in header.split("|")]
    lines = ["|".join(["", *columns, ""]), "|" + "---|" * len(columns)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


def results_table(finished: FinishedRuns) -> str:
    """Accuracies, sizes, re-draws and epochs per dataset, topology and tie-break order."""
    rows = []
    for (name, dataset, topology), by_seed in sorted(
        finished.items(), key=lambda item: (*item[0][1:], item[0][0])
    ):
        if name not in ORDERS:
            continue
        baselines = finished.get(("baseline", dataset, topology), {})
        searches = list(map(summary_of, by_seed.values()))
        plain = [summary_of(baselines[seed]) for seed in by_seed if seed in baselines]
        redraws = [plan["redraws"] for folder in by_seed.values() for plan in decisions(folder)]
        change = [100 * (s["parameters"] / s["start_parameters"] - 1) for s in searches]
        rows.append(
            (
                f"{dataset}, {topology.removeprefix('surgeon-')}",
                ORDERS[name],
                ", ".join(map(str, sorted(by_seed))),
                mean(100 * s["test_accuracy"] for s in plain) if plain else "",
                mean(100 * s["test_accuracy"] for s in searches),
                mean(100 * s["val_accuracy"] for s in plain) if plain else "",
                mean(100 * s["val_accuracy"] for s in searches),
                PAPER.get((dataset, topology), ""),
                mean(change, "{:+.1f}"),
                f"{statistics.fmean(redraws):.2f}",
                mean((s["epochs_spent"] for s in searches), "{:.0f}"),
                mean(map(epochs_without_losers, by_seed.values()), "{:.0f}"),
            )
        )
    header = (
        "data, topology | `tie_break` | seeds | baseline, test % | Surgeon, test %"
        "| baseline, validation % | Surgeon, validation % | paper, validation % | parameters, %"
        "| re-draws per decision"
        "| total epochs | without losers' recuperation"
    )
    return table(header, rows)


def stopping_table(finished: FinishedRuns) -> str:
    """Savings and cost of early stopping over all searches."""
    folders = [f for kind, seeds in finished.items() if kind[0] in ORDERS for f in seeds.values()]
    full = [simulate_stopping(folder, {}) for folder in folders]
    rows = []
    for name, early_stopping in STOPS.items():
        early = [simulate_stopping(folder, early_stopping) for folder in folders]
        saved = [100 * (1 - e[0] / f[0]) for e, f in zip(early, full, strict=True)]
        cost = [100 * (f[1] - e[1]) for e, f in zip(early, full, strict=True)]
        stopped = sum(e[0] < f[0] for e, f in zip(early, full, strict=True))
        count = f"{stopped} of {len(folders)}"
        rows.append((f"`{{{name}}}`", count, mean(saved), mean(cost), f"{max(cost):.1f}"))
    header = (
        "`early_stopping` | searches stopped | epochs saved, % | validation accuracy lost, points"
        "| at most"
    )
    return table(header, rows)


def main() -> None:
    """Print the tables, and draw the plot if requested."""
    results, *plot = sys.argv[1:]
    finished = read_finished(Path(results))
    print(results_table(finished), stopping_table(finished), sep="\n\n")
    if plot:
        search, plain, seed, output = plot
        folders = [SearchFolder(Path(results, name, f"seed{seed}")) for name in (search, plain)]
        title = f"{search}, seed {seed}"
        plots.save_figure(plots.plot_against_baseline(title, *folders), Path(output))


if __name__ == "__main__":
    main()
