"""What the report shows, as plain values for its templates."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from netsurgery.analysis.lineage_table import read_lineage
from netsurgery.analysis.runs import Experiment, Run
from netsurgery.config import scaling
from netsurgery.networks.layers import Layer, Shape, trainable_arrays
from netsurgery.networks.network import Topology
from netsurgery.plots.labels import format_score, operation_label
from netsurgery.plots.style import operation_style
from netsurgery.report import brackets
from netsurgery.report import figures as pictures
from netsurgery.report.model_card import loading
from netsurgery.reproduction import published
from netsurgery.storage.files import read_json

LARGEST_CONFUSION = 20  # classes; of more, those that are recognised worst are listed
WORST = 15
LONG = 30  # runs; of more, what they come to stands above their table


def percent(value: float | None) -> str:
    """A part of 1, for people."""
    return "–" if value is None else f"{value:.1%}"  # noqa: RUF001


def duration(seconds: float | None) -> str:
    """A time, for people."""
    if seconds is None or not math.isfinite(seconds):
        return "–"  # noqa: RUF001
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = seconds / 60
    return f"{minutes:.0f} min" if minutes < 100 else f"{minutes / 60:.1f} h"


def whole(value: float | None) -> str:
    """A count, for people."""
    return "–" if value is None else f"{value:,.0f}"  # noqa: RUF001


def plain(value: Any) -> str:
    """A setting, for people."""
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {plain(item)}" for key, item in value.items()) or "–"  # noqa: RUF001
    if isinstance(value, list):
        return ", ".join(map(plain, value)) or "–"  # noqa: RUF001
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


FILTERS: dict[str, Callable[..., str]] = {
    "percent": percent,
    "duration": duration,
    "whole": whole,
    "plain": plain,
    "figures": format_score,
    "operation": lambda name: operation_style(name).label,
}


def title(experiment: Experiment) -> str:
    """The title of the page."""
    names = dict.fromkeys(run.search.split(".")[0] for run in experiment.runs)
    return f"netsurgery: {', '.join(names)}" if len(names) <= 3 else "netsurgery: all searches"


def anchor(run: Run) -> str:
    """Where a search stands in the page."""
    return f"{run.search}-seed{run.seed}"


def shown(experiment: Experiment, most: int) -> list[Run]:
    """The searches that are shown in full: finished ones, searches before baselines."""
    done = [run for run in experiment.runs if run.summary is not None]
    first = [run for run in done if run.settings["algorithm"] != "baseline"]
    chosen = {id(run) for run in [*first, *(r for r in done if r not in first)][:most]}
    return [run for run in done if id(run) in chosen]


def headline(run: Run) -> dict[str, Any]:
    """A row of the table of all searches."""
    row: dict[str, Any] = {
        "search": run.search,
        "seed": run.seed,
        "method": run.method,
        "dataset": published.called(run.dataset, run.original),
        "topology": run.topology,
        "state": run.state,
        "summary": run.summary,
        "test": None,
    }
    if run.summary is not None:
        row["test"] = _score(run.summary)
    return row


def _score(summary: Mapping[str, Any]) -> str:
    if summary["test_accuracy"] is not None:
        return percent(summary["test_accuracy"])
    word = summary["objective"].removeprefix("val_")
    return f"{word} {format_score(summary['test_score'])}"


def overview(experiment: Experiment, most: int) -> dict[str, Any]:
    """The table of all searches, and what is to be said of all together."""
    full = {id(run) for run in shown(experiment, most)}
    done = [run for run in experiment.runs if run.summary is not None]
    rows = [
        headline(run) | {"anchor": anchor(run) if id(run) in full else None}
        for run in experiment.runs
    ]
    return {
        "rows": rows,
        "asked": len(experiment.runs),
        "long": len(experiment.runs) > LONG,
        "finished": len(done),
        "missing": len(experiment.runs) - len(done),
        "failed": sum(run.state == "failed" for run in experiment.runs),
        "full": len(full),
        "scale": experiment.scale,
        "scale_words": scaling.explained(experiment.scale),
        "epochs": sum(run.summary["epochs_spent"] for run in done if run.summary),
        "seconds": sum(run.summary.get("wall_seconds") or 0 for run in done if run.summary) or None,
    }


def _sides(shape: Shape) -> str:
    return "×".join(map(str, shape))  # noqa: RUF001 - a multiplication sign


def layers(topology: Topology) -> list[dict[str, Any]]:
    """The layers of a topology as blocks: kind, words, the shape that leaves each, parameters.

    What follows a convolution and is no other, dense or flatten layer is told along with it.
    """
    entry = {"kind": "end", "words": "input", "shape": _sides(topology.input_shape)}
    blocks: list[dict[str, Any]] = [entry | {"parameters": 0, "along": []}]
    sizes = zip(topology.layers, topology.shapes[1:], topology.array_shapes, strict=True)
    for layer, shape, arrays in sizes:
        parameters = sum(math.prod(array) for array in arrays[: trainable_arrays(layer)])
        kind = _kind(layer)
        if kind == "other" and blocks[-1]["kind"] == "conv":
            blocks[-1]["along"].append(str(layer))
            blocks[-1]["shape"] = _sides(shape)
            blocks[-1]["parameters"] += parameters
        else:
            block = {"kind": kind, "words": str(layer), "shape": _sides(shape)}
            blocks.append(block | {"parameters": parameters, "along": []})
    return blocks


def _kind(layer: Layer) -> str:
    name = type(layer).__name__.lower()
    return name if name in ("conv", "dense", "flatten") else "other"


def wrong(run: Run) -> dict[str, Any] | None:
    """Where the final network is wrong, ready to be shown; None where nobody looked."""
    path = run.folder.final / "errors.json"
    if not path.exists():
        return None
    found = read_json(path)
    if found["task"] != "classification":
        return found | {"cloud": pictures.cloud(found)}
    names, counts = found["classes"], found["confusion"]
    matrix = None
    if len(names) <= LARGEST_CONFUSION:
        matrix = [
            {
                "name": name,
                "cells": [
                    {"count": n, "share": n / max(1, sum(row)), "right": i == j}
                    for j, n in enumerate(row)
                ],
            }
            for i, (name, row) in enumerate(zip(names, counts, strict=True))
        ]
    rows = [{"name": name, **row} for name, row in zip(names, found["by_class"], strict=True)]
    rows.sort(key=lambda row: row["recall"] if row["recall"] is not None else 1.0)
    return found | {"matrix": matrix, "rows": rows[:WORST], "classes_in_all": len(rows)}


def generations(run: Run) -> list[dict[str, Any]]:
    """What happened in each generation, or at each decision point."""
    found = []
    for plan in run.folder.generations():
        records = run.folder.records_of(plan)
        winners = read_json(run.folder.winners(plan.generation))["parents"]
        parents = [parent["record"]["candidate"] for parent in winners]
        found.append(brackets.describe(plan, records, parents))
    return found


def story(rows: Sequence[Mapping[str, Any]], final: str) -> list[dict[str, Any]]:
    """How the final network came to be, operation by operation."""
    by_name = {row["candidate"]: row for row in rows}
    chain = [by_name[final]]
    while chain[0]["parent"]:
        chain.insert(0, by_name[chain[0]["parent"]])
    return [
        {
            **row,
            "words": operation_label(row["operation"], row["position"]),
            "look": operation_style(row["operation"]),
        }
        for row in chain
    ]


def search(run: Run) -> dict[str, Any]:
    """All that is shown of one finished search."""
    assert run.summary is not None
    summary, end = run.summary, run.folder.end()
    start = Topology.from_json(run.folder.start().topology)
    rows = read_lineage(run.folder.lineage)
    data = read_json(run.folder.final / "preprocessing.json") | {"resized": False}
    settings = {k: v for k, v in run.settings.items() if k not in ("seeds", "algorithm")}
    exports = run.folder.final / "exports.json"
    return {
        "anchor": anchor(run),
        **headline(run),
        "algorithm": run.settings["algorithm"],
        "score": _score(summary),
        "start_layers": [str(layer) for layer in start.layers],
        "layers": layers(Topology.from_json(end.topology)),
        "story": story(rows, summary["candidate"]),
        "pictures": pictures.of_search(run, rows),
        "generations": generations(run),
        "wrong": wrong(run),
        "settings": sorted(settings.items()),
        "loading": loading(summary, data).replace(
            '"model.keras"', f'"{run.folder.final / "model.keras"}"'
        ),
        "exports": read_json(exports)["exports"] if exports.exists() else [],
    }
