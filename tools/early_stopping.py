"""What early stopping would have saved and cost in finished searches, as a table in Markdown.

    python -m tools.early_stopping RESULTS

Each search that ran to its end is stopped afterwards, where its setting would have ended it.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from netsurgery.analysis.runs import Run, read_experiment
from netsurgery.reproduction.statistics import mean_and_sd
from netsurgery.search.ectonas import stopping as of_ectonas
from netsurgery.search.ectonas.settings import SelectionSettings
from netsurgery.search.methods import RANDOM, SURGEON
from netsurgery.search.selection import Comparison, select_contender
from netsurgery.search.steps import FINAL
from netsurgery.search.surgeon import stopping as of_surgeon
from netsurgery.search.surgeon.branches import accuracy, topology_of
from netsurgery.search.winners import Winners
from netsurgery.storage.settings import from_settings

ECTONAS = [{"patience": 1}, {"patience": 2}, {"patience": 3}]
SETTINGS: dict[str, list[dict[str, int]]] = {
    SURGEON: [{"patience": 2}, {"patience": 3}, {"max_reversals": 1}, {"max_reversals": 2}]
}


@dataclass(frozen=True)
class Stopped:
    """A search that is stopped: shares of its epochs and parameters, and its score, each changed.

    Attributes:
        early: whether it would have stopped at all.
        saved: epochs, in percent of all.
        lost: validation accuracy, in points.
        larger: parameters, in percent of those that it ends with.
    """

    early: bool
    saved: float
    lost: float
    larger: float


def history_of(run: Run) -> list[Winners]:
    """The parents after the initial training and after every generation."""
    found: list[Winners] = []
    while run.folder.winners(len(found)).exists():
        found.append(run.folder.read_winners(len(found)))
    return found


def reason(history: Sequence[Winners], run: Run, early_stopping: Mapping[str, int]) -> str | None:
    """Why the search would stop after some generations; None if it would not."""
    if run.method != SURGEON:
        settings = from_settings(SelectionSettings, run.settings)
        parents = [winners.records for winners in history]
        return of_ectonas.reason_to_stop(parents, settings, early_stopping)
    best = [max(winners.records, key=accuracy) for winners in history]
    states = [of_surgeon.state_of(topology_of(record)) for record in best]
    return of_surgeon.reason_to_stop(list(map(accuracy, best)), states, early_stopping)


def stop(run: Run, early_stopping: Mapping[str, int]) -> Stopped:
    """Stop a finished search where a setting would have ended it."""
    history, done = history_of(run), run.result
    assert done is not None
    for generation in range(1, len(history)):
        if reason(history[: generation + 1], run, early_stopping) is None:
            continue
        last = history[generation]
        mode = run.algorithm.final_mode(run.settings)
        comparison = from_settings(Comparison, run.settings)
        index = select_contender(last.records, mode, comparison, run.seed, FINAL)
        winner, spent = last.records[index], last.batches_spent / last.batches_per_epoch
        return Stopped(
            spent < done["epochs_spent"],
            100 * (1 - spent / done["epochs_spent"]),
            100 * (done["val_score"] - (winner.score or 0.0)),
            100 * (winner.parameters / done["parameters"] - 1),
        )
    return Stopped(False, 0.0, 0.0, 0.0)


def rows(runs: Sequence[Run]) -> Iterator[dict[str, Any]]:
    """Yield a row for each method and setting."""
    done = [run for run in runs if run.algorithm.searches and run.result is not None]
    for method in dict.fromkeys(run.method for run in done):
        members = [run for run in done if run.method == method]
        for setting in [] if method == RANDOM else SETTINGS.get(method, ECTONAS):
            stopped = [stop(run, setting) for run in members]
            lost = [each.lost for each in stopped]
            yield {
                "method": method,
                "`early_stopping`": f"`{setting}`".replace("'", ""),
                "searches stopped": f"{sum(s.early for s in stopped)} of {len(stopped)}",
                "epochs saved, %": text([each.saved for each in stopped]),
                "validation accuracy lost, points": text(lost),
                "at most": f"{max(lost):.1f}",
                "parameters more, %": text([each.larger for each in stopped]),
            }


def text(values: Sequence[float]) -> str:
    """Mean and, of several values, standard deviation."""
    found = mean_and_sd(values)
    spread = "" if math.isnan(found.deviation) else f" ± {found.deviation:.1f}"
    return f"{found.mean:.1f}{spread}"


def main() -> None:
    """Print the table of a results folder."""
    found = list(rows(read_experiment(Path(sys.argv[1])).runs))
    if not found:
        sys.exit(f"{sys.argv[1]}: there is no finished search")
    print("| " + " | ".join(found[0]) + " |")
    print("| --- | --- |" + " ---: |" * (len(found[0]) - 2))
    for row in found:
        print("| " + " | ".join(row.values()) + " |")


if __name__ == "__main__":
    main()
