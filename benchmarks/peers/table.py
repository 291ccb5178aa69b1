"""The tables: accuracies of all peers, and what each took and gave."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from statistics import mean

from benchmarks.peers.data_sets import DATA_SETS
from benchmarks.peers.results import Result

TITLES = {
    "arbor": "netsurgery, Arbor",
    "recipe": "network and recipe by hand",
    "hyperband": "KerasTuner, Hyperband",
    "tpe": "Optuna, TPE",
    "auto_model": "AutoKeras",
    "boosting": "gradient boosting",
}
Groups = dict[tuple[str, str], list[Result]]


def grouped(results: Iterable[Result]) -> Groups:
    """Runs that gave a model, by data set and peer, in the order of the tables."""
    found: Groups = defaultdict(list)
    for result in results:
        if result.accuracy is not None:
            found[result.data_set, result.peer].append(result)
    return {
        (name, peer): found[name, peer]
        for name in DATA_SETS
        for peer in TITLES
        if (name, peer) in found
    }


def accuracies(groups: Groups) -> str:
    """Peers by data sets: the mean test accuracy, and its range if there are several seeds."""
    names = list(dict.fromkeys(name for name, _ in groups))
    head = [f"{DATA_SETS[name].title}, {allowed_seconds(groups, name):.0f} s" for name in names]
    rows = [
        [TITLES[peer], *(_accuracy(groups.get((name, peer), [])) for name in names)]
        for peer in TITLES
        if any(each == peer for _, each in groups)
    ]
    return _markdown(["", *head], rows)


def details(groups: Groups) -> str:
    """What each peer took and gave on each data set, as means over seeds."""
    head = ["data set", "peer", "seeds", "test accuracy", "parameters"]
    head += ["seconds", "seconds in all", "on the clock"]
    rows = [
        [
            DATA_SETS[name].title,
            TITLES[peer],
            str(len(runs)),
            _accuracy(runs),
            _size(runs),
            *(
                f"{mean(values):.0f}"
                for values in (
                    [run.seconds for run in runs],
                    [run.all_seconds for run in runs],
                    [run.wall_seconds for run in runs],
                )
            ),
        ]
        for (name, peer), runs in groups.items()
    ]
    return _markdown(head, rows, texts=2)


def allowed_seconds(groups: Groups, name: str) -> float:
    """Processor seconds of each run on a data set."""
    return max(run.allowed for (each, _), runs in groups.items() if each == name for run in runs)


def percentages(runs: Iterable[Result]) -> list[float]:
    """Test accuracies in per cent."""
    return [100 * run.accuracy for run in runs if run.accuracy is not None]


def sizes(runs: Iterable[Result]) -> list[int]:
    """Parameters of the networks."""
    return [run.parameters for run in runs if run.parameters is not None]


def _accuracy(runs: Sequence[Result]) -> str:
    values = percentages(runs)
    if not values:
        return ""
    spread = f" ({min(values):.1f}-{max(values):.1f})" if len(values) > 1 else ""
    return f"{mean(values):.1f}{spread}"


def _size(runs: Sequence[Result]) -> str:
    return f"{mean(sizes(runs)):,.0f}" if sizes(runs) else "-"


def _markdown(head: Sequence[str], rows: Iterable[Sequence[str]], texts: int = 1) -> str:
    """A table whose first columns are text and whose others are numbers."""
    alignment = ["---"] * texts + ["---:"] * (len(head) - texts)
    lines = [f"| {' | '.join(cells)} |" for cells in (head, alignment, *rows)]
    return "\n".join(lines) + "\n"
