"""The tables of docs/reproduction/surgeon.md and its picture, from the results of experiments.yaml.

python docs/surgeon/figures.py RESULTS prints the tables, as Markdown, of what is finished there;
with SEARCH BASELINE SEED OUTPUT.png behind that it also draws one search beside its baseline.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from netsurgery import plots
from netsurgery.plots import plot_against_baseline
from netsurgery.search.ectonas.generation import SEARCH
from netsurgery.search.layout import SearchFolder
from netsurgery.search.scores import rank_by_surgeon_score
from netsurgery.search.surgeon import decision_point, stopping
from netsurgery.search.winners import read_winners
from netsurgery.storage.files import read_json

# validation accuracies of table 3, in per cent: baseline, Surgeon
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


def mean(values: Iterable[float], form: str = "{:.1f}") -> str:
    """Mean and, of several values, the standard deviation."""
    found = list(values)
    text = form.format(statistics.fmean(found))
    if len(found) == 1:
        return text
    return f"{text} ± {form.replace('+', '').format(statistics.stdev(found))}"


# finished searches by name, dataset and topology, then by seed
Found = dict[tuple[str, str, str], dict[int, SearchFolder]]


def gather(results: Path) -> Found:
    """All that is finished."""
    found: Found = {}
    for path in sorted(results.glob("*/seed*/final/summary.json")):
        summary = read_json(path)
        name = path.parents[2].name.split(".")[0]
        kind = name, summary["dataset"], summary["topology"]
        found.setdefault(kind, {})[summary["seed"]] = SearchFolder(path.parent.parent)
    return found


def summary_of(folder: SearchFolder) -> dict[str, Any]:
    """The summary of a finished search."""
    return read_json(folder.final / "summary.json")


def without_losers(folder: SearchFolder) -> float:
    """Epochs trained, but for the re-training of candidates that were not chosen for the step."""
    records = folder.records()
    chosen = {record.candidate for record in records if "slot" in record.step}
    left = [r for r in records if r.step != "recuperation" or r.candidate in chosen]
    return sum(record.epochs_spent for record in left)


def decisions(folder: SearchFolder) -> list[dict[str, Any]]:
    """The plans of a search's decision points."""
    return [plan for plan in folder.plans() if plan["action"] == SEARCH]


def stopped(folder: SearchFolder, early_stopping: dict[str, int]) -> tuple[float, float]:
    """Epochs spent and the winner's validation accuracy, had the search been told to stop."""
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


def results_table(found: Found) -> str:
    """Accuracies, sizes, re-draws and epochs of each dataset, topology and order."""
    rows = []
    for (name, dataset, topology), by_seed in sorted(
        found.items(), key=lambda item: (*item[0][1:], item[0][0])
    ):
        if name not in ORDERS:
            continue
        plain = found.get(("baseline", dataset, topology), {})
        ours = list(map(summary_of, by_seed.values()))
        theirs = [summary_of(plain[seed]) for seed in by_seed if seed in plain]
        redraws = [plan["redraws"] for folder in by_seed.values() for plan in decisions(folder)]
        change = [100 * (s["parameters"] / s["start_parameters"] - 1) for s in ours]
        rows.append(
            (
                f"{dataset}, {topology.removeprefix('surgeon-')}",
                ORDERS[name],
                ", ".join(map(str, sorted(by_seed))),
                mean(100 * s["test_accuracy"] for s in theirs) if theirs else "",
                mean(100 * s["test_accuracy"] for s in ours),
                mean(100 * s["val_accuracy"] for s in theirs) if theirs else "",
                mean(100 * s["val_accuracy"] for s in ours),
                PAPER.get((dataset, topology), ""),
                mean(change, "{:+.1f}"),
                f"{statistics.fmean(redraws):.2f}",
                mean((s["epochs_spent"] for s in ours), "{:.0f}"),
                mean(map(without_losers, by_seed.values()), "{:.0f}"),
            )
        )
    header = (
        "data, topology | `tie_break` | seeds | baseline, test % | Surgeon, test %"
        "| baseline, validation % | Surgeon, validation % | paper, validation % | parameters, %"
        "| re-draws per decision"
        "| epochs in all | but for losers' re-training"
    )
    return table(header, rows)


def stopping_table(found: Found) -> str:
    """What early stopping saves and costs, over all searches."""
    folders = [f for kind, seeds in found.items() if kind[0] in ORDERS for f in seeds.values()]
    full = [stopped(folder, {}) for folder in folders]
    rows = []
    for name, early_stopping in STOPS.items():
        early = [stopped(folder, early_stopping) for folder in folders]
        saved = [100 * (1 - e[0] / f[0]) for e, f in zip(early, full, strict=True)]
        cost = [100 * (f[1] - e[1]) for e, f in zip(early, full, strict=True)]
        fired = sum(e[0] < f[0] for e, f in zip(early, full, strict=True))
        of = f"{fired} of {len(folders)}"
        rows.append((f"`{{{name}}}`", of, mean(saved), mean(cost), f"{max(cost):.1f}"))
    header = (
        "`early_stopping` | searches stopped | epochs saved, % | validation accuracy lost, points"
        "| at most"
    )
    return table(header, rows)


def main() -> None:
    """Print the tables; draw the picture if it is asked for."""
    results, *picture = sys.argv[1:]
    found = gather(Path(results))
    print(results_table(found), stopping_table(found), sep="\n\n")
    if picture:
        search, plain, seed, output = picture
        folders = [SearchFolder(Path(results, name, f"seed{seed}")) for name in (search, plain)]
        shown = f"{search}, seed {seed}"
        plots.save_figure(plot_against_baseline(shown, *folders), Path(output))


if __name__ == "__main__":
    main()
