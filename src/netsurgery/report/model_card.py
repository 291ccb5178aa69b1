"""The model card next to every final model: its use, results, training and limits, in Markdown.

After M. Mitchell et al., *Model Cards for Model Reporting*, 2019.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import netsurgery
from netsurgery.datasets import overview
from netsurgery.datasets.augmentation import NONE, SIXFOLD, VARIANTS
from netsurgery.datasets.source import PARTS, TRAINING
from netsurgery.networks.costs import Costs
from netsurgery.networks.outline import outline
from netsurgery.networks.topology import Topology
from netsurgery.objectives.keras_catalog import describe as describe_setting
from netsurgery.objectives.label_scores import ACCURACY, AVERAGE_PRECISION, F1, PRECISION, RECALL
from netsurgery.objectives.schedules import CONSTANT
from netsurgery.objectives.tasks import CLASSIFICATION, MULTILABEL, REGRESSION
from netsurgery.objectives.training_settings import batch_size_of, highest_rate
from netsurgery.report.usage import usage_snippet
from netsurgery.search.algorithms import ALGORITHMS
from netsurgery.search.last_epochs import describe_last_epochs
from netsurgery.search.target import describe_target

MAX_LISTED_CLASSES = 20
MAX_LISTED_COLUMNS = 100
# settings of training that are 0 where they do nothing, and what they are called
OPTIONAL = {
    "momentum": "momentum",
    "weight_decay": "weight decay",
    "ema_momentum": "weights averaged with momentum",
}


def _number(value: float | None, form: str = "{:.1%}") -> str:
    return "not finite" if value is None else form.format(value)


def _recipe(settings: Mapping[str, Any], samples: int) -> Iterator[str]:
    """How a network learns from so many training samples, one thing at a time."""
    schedule, augmentation = settings["schedule"], settings["augmentation"]
    changes = f" ({describe_setting(schedule)})" if schedule != CONSTANT else ""
    scaling = settings.get("learning_rate_scaling", NONE)
    size, samples = settings["batch_size"], samples * (VARIANTS if augmentation == SIXFOLD else 1)
    yield describe_setting(settings["optimizer"])
    rate = highest_rate(settings["learning_rate"], scaling, size, samples)
    yield f"learning rate {rate:.3g}{changes}"
    for key, name in OPTIONAL.items():
        if settings[key]:
            yield f"{name} {settings[key]:g}"
    yield f"batch size {batch_size_of(size, samples)}"
    if augmentation != NONE:
        named = augmentation if isinstance(augmentation, str) else ", ".join(augmentation)
        yield f"augmentation {named}"


def _results(summary: Mapping[str, Any]) -> list[str]:
    if summary["test_accuracy"] is not None:
        lines = [
            f"| test accuracy | {_number(summary['test_accuracy'])} |",
            f"| validation accuracy | {_number(summary['val_accuracy'])} |",
            f"| test loss | {_number(summary['test_loss'], '{:.4f}')} |",
        ]
    else:
        lines = [
            f"| test {name.replace('_', ' ')} | {_number(value, '{:.4g}')} |"
            for name, value in summary["test_metrics"].items()
        ]
    return ["| | |", "|---|---:|", *lines]


def _costs(topology: Topology) -> list[str]:
    costs = Costs.of(topology)
    return [
        "| | |",
        "|---|---:|",
        f"| parameters | {topology.parameters:,} |",
        f"| multiplications | {costs.multiplications:,} |",
        f"| memory of inputs and outputs of layers, at most | {costs.peak_memory:,} bytes |",
        f"| weights in the model file | {costs.model_bytes:,} bytes |",
    ]


def _errors(errors: Mapping[str, Any]) -> list[str]:
    if errors["task"] == MULTILABEL:
        return _label_table(errors)
    if errors["task"] == REGRESSION:
        quantiles = errors["quantiles"]
        several = len(errors.get("by_target", ())) > 1
        return [
            *(_target_table(errors) if several else ()),
            *([f"Of {errors['target']}:", ""] if several else ()),
            f"50 % of the errors lie between {quantiles['0.25']:+.4g} and"
            f" {quantiles['0.75']:+.4g}, 90 % between {quantiles['0.05']:+.4g} and"
            f" {quantiles['0.95']:+.4g}, in the unit of the target.",
        ]
    rows = sorted(
        zip(errors["classes"], errors["by_class"], strict=True),
        key=lambda row: row[1]["recall"] or 0.0,
    )
    shown = rows[:MAX_LISTED_CLASSES]
    head = "By class, lowest recall first" + (
        f" ({MAX_LISTED_CLASSES} of {len(rows)}):" if len(rows) > MAX_LISTED_CLASSES else ":"
    )
    lines = [head, "", "| class | samples | precision | recall | F1 |", "|---|---:|---:|---:|---:|"]
    for name, row in shown:
        cells = ["–" if row[k] is None else f"{row[k]:.2f}" for k in ("precision", "recall", "f1")]  # noqa: RUF001
        lines.append(f"| {name} | {row['samples']} | {' | '.join(cells)} |")
    return lines


def _label_table(errors: Mapping[str, Any]) -> list[str]:
    rows = sorted(
        zip(errors["labels"], errors["by_label"], strict=True),
        key=lambda row: row[1][AVERAGE_PRECISION] or 0.0,
    )
    more = f" ({MAX_LISTED_CLASSES} of {len(rows)})" if len(rows) > MAX_LISTED_CLASSES else ""
    lines = [
        f"By label, lowest average precision first{more}; a label is predicted from a probability"
        " of 50 % on:",
        "",
        "| label | samples | average precision | F1 | precision | recall | accuracy |",
        f"|---|{'---:|' * 6}",
    ]
    keys = (AVERAGE_PRECISION, F1, PRECISION, RECALL, ACCURACY)
    for name, row in rows[:MAX_LISTED_CLASSES]:
        cells = ["–" if row[k] is None else f"{row[k]:.2f}" for k in keys]  # noqa: RUF001
        lines.append(f"| {_cell(name)} | {row['samples']} | {' | '.join(cells)} |")
    return lines


def _target_table(errors: Mapping[str, Any]) -> list[str]:
    lines = ["By target, in its unit:", "", "| target | mae | rmse | r2 |", "|---|---:|---:|---:|"]
    for row in errors["by_target"]:
        cells = [_number(row[key], "{:.4g}") for key in ("mae", "rmse", "r2")]
        lines.append(f"| {_cell(row['target'])} | {' | '.join(cells)} |")
    return [*lines, ""]


def _amount(budget: float | str) -> str:
    """A budget as people read it: a time as they wrote it, or a number of epochs."""
    return budget if isinstance(budget, str) else f"{budget:g}"


def _checked(check: Mapping[str, Any], data: Mapping[str, Any]) -> str:
    """What is known of the model on samples as the user has them."""
    if not check["samples"]:
        return f"`model.keras` was not compared on raw samples: {check['why']}."
    largest = f"by at most {check['largest_difference']:.1g}"
    differ = (
        f"targets differ {largest} standard deviations"
        if data["task"] == REGRESSION
        else f"probabilities differ {largest}"
    )
    return (
        f"`model.keras` gives for {check['samples']:,} test samples, as they came, what was tested:"
        f" {differ}."
    )


def data_section(data: Mapping[str, Any]) -> list[str]:
    """What the columns of a table became, and what there was to look at, as lines."""
    rows = overview.column_rows(data, MAX_LISTED_COLUMNS)
    warnings = [f"- {warning}." for warning in data["warnings"]]
    if not rows and not warnings:
        return []
    table = [f"| {' | '.join(map(_cell, row))} |" for row in rows]
    head = [f"| {' | '.join(overview.COLUMN_HEADER)} |", "|---|---|---|---:|---:|"] if rows else []
    return ["## Data", "", *head, *table, *[""][: len(head)], *warnings, *[""][: len(warnings)]]


def _cell(text: str) -> str:
    """A text as a cell of a Markdown table."""
    return " ".join(text.replace("|", "\\|").split())


def model_card(
    summary: Mapping[str, Any],
    settings: Mapping[str, Any],
    data: Mapping[str, Any],
    topology: Topology,
    errors: Mapping[str, Any],
    exports: Sequence[Mapping[str, Any]],
    check: Mapping[str, Any],
) -> str:
    """The model card of a final model, in Markdown.

    Args:
        summary: of the search.
        settings: of the search.
        data: description of the prepared dataset.
        topology: of the final network.
        errors: see `netsurgery.report.error_analysis`.
        exports: see `netsurgery.keras_io.tflite`.
        check: see `netsurgery.jobs.model_check`; without samples, why there was none.
    """
    algorithm = ALGORITHMS[summary["algorithm"]]
    origin = (
        f" The search started with {summary['start_parameters']:,} and trained"
        f" {summary['candidates']} candidates in {summary['generations']}"
        f" generation{'s' if summary['generations'] > 1 else ''}."
        if summary["generations"]
        else ""
    )
    count = data["outputs"]
    does, outputs = {
        CLASSIFICATION: (
            f"classifies samples into {count} classes",
            "class probabilities, in the order of the classes in `preprocessing.json`",
        ),
        REGRESSION: (
            f"predicts {count} number{'s' if count > 1 else ''}",
            "targets in their original unit",
        ),
        MULTILABEL: (
            f"tells which of {count} labels samples have",
            "the probabilities of the labels, in their order in `preprocessing.json`",
        ),
    }[data["task"]]
    parts = ", ".join(f"{data['counts'][part]:,} {part}" for part in PARTS)
    files = [f"`{export['file']}`" for export in exports if export["written"]]
    not_written = [
        f"`{e['file']}` was not written: {e['why']}." for e in exports if not e["written"]
    ]
    same = [
        f"`{e['file']}` ({e['bytes']:,} bytes) gives the outputs of `model.keras`: they differ by"
        f" at most {e['largest_difference']:.0e} on {e['samples']} test samples."
        for e in exports
        if e["written"]
    ]
    last_epochs, target = describe_last_epochs(summary), describe_target(summary)
    lines = [
        f"# A network for {summary['dataset']}",
        "",
        f"It {does} and has {summary['parameters']:,} trainable parameters.{origin} Algorithm:"
        f" {algorithm.description}. Starting topology: `{summary['topology']}`, seed"
        f" {summary['seed']}.",
        "",
        "## Use",
        "",
        "```python",
        usage_snippet(data),
        "```",
        "",
        "From a command line, in this folder:",
        "",
        "```",
        "netsurgery predict . FILE -o predictions.csv",
        "netsurgery evaluate . LABELLED_FILE",
        "```",
        "",
        f"The model includes scaling and other preprocessing. Its outputs are {outputs}.",
        "",
        "| file | content |",
        "|---|---|",
        "| `model.keras` | the model |",
        "| `network.keras` | the model without preprocessing |",
        *(f"| {name} | the model for TensorFlow Lite |" for name in files),
        "| `preprocessing.json` | the preprocessing, and the names of the outputs |",
        "| `errors.json` | error analysis on the test samples |",
        "",
        _checked(check, data),
        *same,
        *not_written,
        "",
        "## Results",
        "",
        f"On {errors['samples']:,} test samples, which were not used for any decision:",
        "",
        *_results(summary),
        "",
        *([f"**No better than a guess:** {summary['warning']}.", ""] if summary["warning"] else []),
        *_errors(errors),
        "",
        *data_section(data),
        "## Training",
        "",
        f"- Data: {data['origin']}, {parts} samples; version {data['version']}.",
        f"- Epochs: these weights were trained for {summary['epochs_trained']:.1f}, including their"
        f" ancestors; the whole search took {summary['epochs_spent']:.1f}"
        + (f" of a budget of {_amount(summary['budget'])}." if summary["budget"] else "."),
        *([f"- Last epochs: {last_epochs}"] if last_epochs else []),
        *([f"- Target: {target}"] if target else []),
        f"- Optimizer: {', '.join(_recipe(settings, data['counts'][TRAINING]))}.",
        f"- Objective: {summary['objective']} on held-out validation samples.",
        f"- netsurgery {netsurgery.__version__}; the same configuration and seed reproduce these"
        " weights.",
        "",
        "Layers with their places, from input to output:",
        "",
        *(f"{'  ' * line.depth}- `{line.place}` {line.text}" for line in outline(topology)),
        "",
        "## Costs",
        "",
        "For one sample and numbers of four bytes:",
        "",
        *_costs(topology),
        "",
        "## Limits",
        "",
        "The results hold for data like the test samples: evaluate the model again before you use"
        " it on other data. Topology and weights were selected by the validation score, so report"
        " the test results, not the validation results. Probabilities are not calibrated,"
        " and fairness between groups was not evaluated.",
        *(["", f"Method: {algorithm.reference}."] if algorithm.reference else []),
    ]
    return "\n".join(lines) + "\n"
