"""The summary of a search: its headline figures, with the same keys for every algorithm."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from netsurgery.networks.topology import Topology
from netsurgery.search.algorithms import algorithm_of
from netsurgery.search.last_epochs import last_epochs_summary
from netsurgery.search.records import Record
from netsurgery.search.usefulness import why_no_better_than_a_guess


def summarize(
    settings: Mapping[str, Any],
    seed: int,
    final: Record,
    start_parameters: int,
    spent: int,
    generations: int,
    candidates: int,
    test: Mapping[str, Any],
    errors: Mapping[str, Any],
    wall_seconds: float = 0.0,
) -> dict[str, Any]:
    """Summarize a finished search.

    Args:
        settings: of the search.
        seed: of the search.
        final: record of the selected candidate.
        start_parameters: of the starting topology.
        spent: batches trained over all candidates.
        generations: how many are complete.
        candidates: how many networks were trained, including the starting one.
        test: loss and metrics on the test samples.
        errors: on the test samples (see `netsurgery.report.error_analysis`).
        wall_seconds: of all training steps, summed.
    """
    metric = settings["objective"]
    last = final.history[-1] if final.history else {}
    per_epoch = final.batches_per_epoch
    topology = Topology.from_json(final.topology)
    return {
        "algorithm": settings["algorithm"],
        "dataset": settings["dataset"],
        "topology": settings["topology"],
        "seed": seed,
        "greediness": settings.get("greediness"),
        "mode": settings.get("mode"),
        "objective": metric,
        "target": settings.get("target"),
        "budget": algorithm_of(settings).budget(settings),
        "epochs_spent": spent / per_epoch,
        "generations": generations,
        "candidates": candidates,
        "candidate": final.candidate,
        "start_parameters": start_parameters,
        "parameters": final.parameters,
        **asdict(final.costs),
        "precision": final.precision,
        "latency": final.latency,
        "latency_batch32": final.latency_batch32,
        "val_score": final.score,
        "test_score": test[metric.removeprefix("val_")],
        "val_accuracy": last.get("val_accuracy"),
        "test_accuracy": test.get("accuracy"),
        "test_loss": test["loss"],
        "test_metrics": {key: test[key] for key in test if key not in ("samples", "checksums")},
        "epochs_trained": final.epochs_trained,
        **last_epochs_summary(final),
        "wall_seconds": wall_seconds,
        "status": final.status,
        "warning": why_no_better_than_a_guess(errors, test),
        "layers": list(topology.descriptions),
    }
