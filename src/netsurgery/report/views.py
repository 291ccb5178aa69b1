"""The content of the report, as plain values for its templates."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from netsurgery.analysis.lineage_table import ancestry, read_lineage
from netsurgery.analysis.references.results import read_references
from netsurgery.analysis.runs import Experiment, Run
from netsurgery.analysis.test_figures import FIGURES, figure_of
from netsurgery.config import scaling
from netsurgery.datasets.overview import column_rows
from netsurgery.networks.outline import outline
from netsurgery.networks.topology import Topology
from netsurgery.objectives.tasks import MULTILABEL, REGRESSION
from netsurgery.plots.labels import format_score, operation_label, pluralize
from netsurgery.plots.structure import sides
from netsurgery.plots.style import operation_style
from netsurgery.report import brackets, figures
from netsurgery.report.usage import usage_snippet
from netsurgery.reproduction import published
from netsurgery.search.last_epochs import describe_last_epochs
from netsurgery.search.target import describe_target
from netsurgery.storage.files import read_json

MAX_COLUMNS = 300  # of a table
MAX_CONFUSION_CLASSES = 20  # with more classes, only those with the lowest recall are listed
WORST_CLASSES = 15
MAX_LABELS = 100
# missing in 0.1
OLDER: dict[str, Any] = {
    "inputs": [],
    "resized": False,
    "settings": {},
    "parts": {},
    "units": None,
    "reading": {},
    "table": [],
    "range": None,
    "target_range": None,
    "target_ranges": None,
    "class_counts": None,
    "labels": None,
    "label_counts": None,
}
LONG = 30  # with more runs, the comparison of methods comes before their table


def percent(value: float | None) -> str:
    """A fraction as a percentage."""
    return "–" if value is None else f"{value:.1%}"  # noqa: RUF001


def fraction(value: float | None) -> str:
    """A number of at most 1, such as r2, with three decimals."""
    return "–" if value is None else f"{value:.3f}"  # noqa: RUF001


def number(value: float | None) -> str:
    """A number of any size with four digits."""
    return "–" if value is None else f"{value:.4g}"  # noqa: RUF001


def duration(seconds: float | None) -> str:
    """A duration in a readable unit."""
    if seconds is None or not math.isfinite(seconds):
        return "–"  # noqa: RUF001
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = seconds / 60
    return f"{minutes:.0f} min" if minutes < 100 else f"{minutes / 60:.1f} h"


def count(value: float | None) -> str:
    """A count with thousands separators."""
    return "–" if value is None else f"{value:,.0f}"  # noqa: RUF001


def setting_text(value: Any) -> str:
    """A setting as text."""
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {setting_text(item)}" for key, item in value.items()) or "–"  # noqa: RUF001
    if isinstance(value, list):
        return ", ".join(map(setting_text, value)) or "–"  # noqa: RUF001
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


def memory(size: float | None) -> str:
    """A number of bytes in a readable unit."""
    if size is None:
        return "–"  # noqa: RUF001
    for unit in ("bytes", "kB", "MB"):
        if size < 1000:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:.3g} GB"


def latency(seconds: float | None) -> str:
    """The time of a prediction in milliseconds."""
    return "–" if seconds is None else f"{1000 * seconds:.3g} ms"  # noqa: RUF001


FILTERS: dict[str, Callable[..., str]] = {
    "percent": percent,
    "fraction": fraction,
    "number": number,
    "duration": duration,
    "count": count,
    "memory": memory,
    "latency": latency,
    "setting": setting_text,
    "plural": pluralize,
    "score": format_score,
    "operation": lambda name: operation_style(name).label,
}


def page_title(experiment: Experiment) -> str:
    """The title of the page."""
    names = dict.fromkeys(run.search.split(".")[0] for run in experiment.runs)
    return f"netsurgery: {', '.join(names)}" if len(names) <= 3 else "netsurgery: all searches"


def anchor(run: Run) -> str:
    """The HTML id of a run's section."""
    return f"{run.search}-seed{run.seed}"


def detailed_runs(experiment: Experiment, max_detailed: int) -> list[Run]:
    """The runs with a section of their own: finished ones, searches before baselines."""
    done = [run for run in experiment.runs if run.summary is not None]
    first = [run for run in done if run.algorithm.searches]
    chosen = {id(run) for run in [*first, *(r for r in done if r not in first)][:max_detailed]}
    return [run for run in done if id(run) in chosen]


def table_row(run: Run) -> dict[str, Any]:
    """A row of the table of all runs."""
    row: dict[str, Any] = {
        "search": run.search,
        "seed": run.seed,
        "references": read_references(run.folder.root),
        "method": run.method,
        "dataset": published.dataset_label(run.dataset, run.original),
        "topology": run.topology,
        "state": run.state,
        "summary": run.summary,
        "test": None,
    }
    if run.summary is not None:
        row["test"] = _score(run.summary)
    return row


def _score(summary: Mapping[str, Any]) -> str:
    """The accuracy; without one the objective and, to compare with others, another figure."""
    figure, word = figure_of(summary), summary["objective"].removeprefix("val_")
    if summary["test_accuracy"] is not None or word in FIGURES:
        return figure
    score = f"{word.replace('_', ' ')} {format_score(summary['test_score'])}"
    return score if figure == "-" else f"{score}, {figure}"


def overview(experiment: Experiment, max_detailed: int) -> dict[str, Any]:
    """The table of all runs, and totals."""
    detailed = {id(run) for run in detailed_runs(experiment, max_detailed)}
    done = [run for run in experiment.runs if run.summary is not None]
    rows = [
        table_row(run) | {"anchor": anchor(run) if id(run) in detailed else None}
        for run in experiment.runs
    ]
    return {
        "rows": rows,
        "total": len(experiment.runs),
        "long": len(experiment.runs) > LONG,
        "finished": len(done),
        "missing": len(experiment.runs) - len(done),
        "failed": sum(run.state == "failed" for run in experiment.runs),
        "warned": sum(bool(run.summary.get("warning")) for run in done if run.summary),
        "detailed": len(detailed),
        "scale": experiment.scale,
        "scale_text": scaling.explain_scale(experiment.scale),
        "epochs": sum(run.summary["epochs_spent"] for run in done if run.summary),
        "seconds": sum(run.summary.get("wall_seconds") or 0 for run in done if run.summary) or None,
    }


def layers(topology: Topology) -> list[dict[str, Any]]:
    """The layers and blocks of a topology, in order: place, depth, text, shape and costs."""
    rows = []
    for line in outline(topology):
        i = line.position
        layer, shape = topology.layers[i], topology.input_shapes[i]
        rows.append(
            {
                "place": line.place,
                "depth": line.depth,
                "text": line.text,
                "shape": sides(topology.output_shapes[i]),
                "parameters": layer.parameters(shape),
                "multiplications": layer.multiplications(shape),
            }
        )
    return rows


def error_view(run: Run) -> dict[str, Any] | None:
    """The errors of the final network; None if they were not analysed."""
    path = run.folder.final / "errors.json"
    if not path.exists():
        return None
    errors = read_json(path)
    if errors["task"] == REGRESSION:
        return errors | {"scatter": figures.prediction_scatter(errors)}
    if errors["task"] == MULTILABEL:
        rows = [
            {"name": name, **row}
            for name, row in zip(errors["labels"], errors["by_label"], strict=True)
        ]
        return errors | {"rows": rows[:MAX_LABELS]}
    names, counts = errors["classes"], errors["confusion"]
    matrix = None
    if len(names) <= MAX_CONFUSION_CLASSES:
        matrix = [
            {
                "name": name,
                "cells": [
                    {"count": n, "share": n / max(1, sum(row)), "correct": i == j}
                    for j, n in enumerate(row)
                ],
            }
            for i, (name, row) in enumerate(zip(names, counts, strict=True))
        ]
    rows = [{"name": name, **row} for name, row in zip(names, errors["by_class"], strict=True)]
    rows.sort(key=lambda row: row["recall"] if row["recall"] is not None else 1.0)
    return errors | {"matrix": matrix, "rows": rows[:WORST_CLASSES], "classes_in_all": len(rows)}


def generations(run: Run) -> list[dict[str, Any]]:
    """The brackets of each generation, or the candidates of each decision point."""
    views = []
    for plan in run.folder.generations():
        records = run.folder.records_of(plan)
        parents = run.folder.read_winners(plan.generation).candidates
        views.append(brackets.describe(plan, records, parents))
    return views


def lineage_view(rows: Sequence[Mapping[str, Any]], final: str) -> list[dict[str, Any]]:
    """The ancestors of the final network with their operations, in order."""
    return [
        {
            **row,
            "label": operation_label(row["operation"], row["position"]),
        }
        for row in ancestry(rows, final)
    ]


def search_view(run: Run) -> dict[str, Any]:
    """The section of one finished search."""
    assert run.summary is not None
    summary, end = run.summary, run.folder.end()
    start = Topology.from_json(run.folder.start().topology)
    topology = Topology.from_json(end.topology)
    rows = read_lineage(run.folder.lineage)
    data = OLDER | read_json(run.folder.final / "preprocessing.json")
    settings = {k: v for k, v in run.settings.items() if k not in ("seeds", "algorithm")}
    exports = run.folder.final / "exports.json"
    return {
        "anchor": anchor(run),
        **table_row(run),
        "algorithm": run.settings["algorithm"],
        "generation_word": run.algorithm.generation,
        "score": _score(summary),
        "data_warnings": data.get("warnings", []),
        "data_columns": column_rows(data, MAX_COLUMNS),
        "start_layers": list(start.descriptions),
        "structure": figures.structure(run, topology),
        "layers": layers(topology),
        "lineage": lineage_view(rows, summary["candidate"]),
        "last_epochs": describe_last_epochs(summary),
        "target": describe_target(summary),
        "figures": figures.search_figures(run, rows),
        "generations": generations(run),
        "errors": error_view(run),
        "settings": sorted(settings.items()),
        "usage": usage_snippet(data).replace(
            '"model.keras"', f'"{run.folder.final / "model.keras"}"'
        ),
        "exports": read_json(exports)["exports"] if exports.exists() else [],
    }
