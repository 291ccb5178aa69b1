"""Early stopping of an ECToNAS search (future work in the paper), by the rule of its mode.

Greedy search makes progress where the best score rises. The balanced mode at times selects networks
with worse scores on purpose, so progress is what it selects by: eq. 2 with the network that made
the last progress in the parent's place. Random mode has no aim, and does not stop.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from netsurgery.search.ectonas.settings import SelectionSettings
from netsurgery.search.records import Record, Status
from netsurgery.search.scores import ectonas_fitness
from netsurgery.search.selection import SelectionMode


def progress(record: Record, reference: Record, settings: SelectionSettings) -> float:
    """How much better a network is than another, by the rule of the mode; -inf if it failed."""
    metric, greedy = settings.comparison.objective, settings.mode is SelectionMode.GREEDY
    if greedy:
        return ectonas_fitness(record, metric, 1) - ectonas_fitness(reference, metric, 1)
    child = replace(record, parent_score=reference.score, parent_parameters=reference.parameters)
    return ectonas_fitness(child, metric, settings.comparison.greediness)


def generations_without_progress(
    history: Sequence[Sequence[Record]], settings: SelectionSettings
) -> int:
    """Count the last generations without a parent that is better than all before it.

    Args:
        history: the parents after the initial training and after every generation.
        settings: of the search.
    """
    (reference, *_), last = history[0], 0
    for generation, parents in enumerate(history[1:], start=1):
        best = max(parents, key=lambda parent: progress(parent, reference, settings))
        if progress(best, reference, settings) > 0:
            reference, last = best, generation
    return len(history) - 1 - last


def reason_to_stop(
    history: Sequence[Sequence[Record]],
    settings: SelectionSettings,
    early_stopping: Mapping[str, int],
) -> str | None:
    """Why a search should stop now; None if it should continue.

    Args:
        history: the parents after the initial training and after every generation.
        settings: of the search.
        early_stopping: `patience`, the generations without progress; without it none is too many.
    """
    patience = early_stopping.get("patience")
    if patience is None or settings.mode is SelectionMode.RANDOM:
        return None
    if any(record.status != Status.OK for record in history[0]):
        return None
    count = generations_without_progress(history, settings)
    return f"generations in a row without progress: {count}" if count >= patience else None
