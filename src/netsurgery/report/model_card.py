"""The model card beside every final model: what it is, how it came to be, how well it does.

After M. Mitchell et al., *Model Cards for Model Reporting*, 2019; in Markdown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import netsurgery
from netsurgery.objectives.keras_catalog import as_text

ALGORITHMS = {
    "ectonas": "ECToNAS, an evolutionary search that reshapes networks while it trains them",
    "surgeon": "the Surgeon, a search that reshapes a network by its singular values",
    "baseline": "plain training of its starting topology",
}
METHODS = {
    "ectonas": "Schiessler, Aydin and Cyron, *ECToNAS*, 2024",
    "surgeon": "Schiessler et al., *Neural network surgery*, Neural Networks 144, 2021",
}
FEW_CLASSES = 20  # that are listed one by one


def loading(summary: Mapping[str, Any], data: Mapping[str, Any]) -> str:
    """Three lines of Python that load the model and use it."""
    takes = _takes(data)
    if data["columns"] and any(column["kind"] != "number" for column in data["columns"]):
        call = "outputs = model({name: table[name].to_numpy() for name in table})"
    else:
        call = "outputs = model.predict(samples)"
    return f'import keras\nmodel = keras.models.load_model("model.keras")\n{call}  # {takes}'


def _takes(data: Mapping[str, Any]) -> str:
    """What samples are to look like."""
    if data["columns"]:
        return f"a table with the {len(data['columns'])} columns of the data"
    shape = ["any height", "any width", data["shape"][-1]] if data["resized"] else data["shape"]
    return f"({', '.join(map(str, ['samples', *shape]))}), as they are"


def _figure(value: float | None, form: str = "{:.1%}") -> str:
    return "not finite" if value is None else form.format(value)


def _results(summary: Mapping[str, Any]) -> list[str]:
    if summary["test_accuracy"] is not None:
        lines = [
            f"| test accuracy | {_figure(summary['test_accuracy'])} |",
            f"| validation accuracy | {_figure(summary['val_accuracy'])} |",
            f"| test loss | {_figure(summary['test_loss'], '{:.4f}')} |",
        ]
    else:
        lines = [
            f"| test {name} | {_figure(value, '{:.4g}')} |"
            for name, value in summary["test_metrics"].items()
        ]
    return ["| | |", "|---|---:|", *lines]


def _by_class(wrong: Mapping[str, Any]) -> list[str]:
    if wrong["task"] != "classification":
        middle = wrong["quantiles"]
        return [
            f"Half of the errors lie between {middle['0.25']:+.4g} and {middle['0.75']:+.4g}, nine"
            f" in ten between {middle['0.05']:+.4g} and {middle['0.95']:+.4g}, in the target's"
            " unit.",
        ]
    rows = sorted(
        zip(wrong["classes"], wrong["by_class"], strict=True),
        key=lambda row: row[1]["recall"] or 0.0,
    )
    shown = rows[:FEW_CLASSES]
    head = "By class, those recognised worst first" + (
        f" ({FEW_CLASSES} of {len(rows)}):" if len(rows) > FEW_CLASSES else ":"
    )
    lines = [head, "", "| class | samples | precision | recall | F1 |", "|---|---:|---:|---:|---:|"]
    for name, row in shown:
        cells = ["–" if row[k] is None else f"{row[k]:.2f}" for k in ("precision", "recall", "f1")]  # noqa: RUF001
        lines.append(f"| {name} | {row['samples']} | {' | '.join(cells)} |")
    return lines


def card(
    summary: Mapping[str, Any],
    settings: Mapping[str, Any],
    data: Mapping[str, Any],
    wrong: Mapping[str, Any],
    exports: Sequence[Mapping[str, Any]],
) -> str:
    """The card of a final model, in Markdown.

    Args:
        summary: of the search.
        settings: of the search.
        data: description of the prepared dataset.
        wrong: see `netsurgery.report.error_analysis`.
        exports: see `netsurgery.keras_io.tflite`.
    """
    algorithm = summary["algorithm"]
    before = (
        f" It grew out of {summary['start_parameters']:,} in {summary['generations']} generations"
        f" of {summary['candidates']} candidates."
        if summary["generations"]
        else ""
    )
    task = (
        f"tells {len(data['classes'])} classes apart"
        if data["classes"] is not None
        else f"predicts {data['outputs']} number{'s' if data['outputs'] > 1 else ''}"
    )
    several = len(data["parts"]) > 1
    parts = ", ".join(
        f"{count:,} {part}" if several else f"{count:,}" for part, count in data["parts"].items()
    )
    files = [f"`{export['file']}`" for export in exports if export["written"]]
    absent = [f"There is no `{e['file']}`: {e['why']}." for e in exports if not e["written"]]
    same = [
        f"`{e['file']}` ({e['bytes']:,} bytes) predicts the same as `model.keras`: on"
        f" {e['samples']} test samples no output differs by more than"
        f" {e['largest_difference']:.0e}."
        for e in exports
        if e["written"]
    ]
    lines = [
        f"# A network for {summary['dataset']}",
        "",
        f"It {task} and has {summary['parameters']:,} trainable parameters.{before} Made by"
        f" {ALGORITHMS[algorithm]}, from the topology `{summary['topology']}`, seed"
        f" {summary['seed']}.",
        "",
        *(
            [f"**Its status is {summary['status']}: its weights are of no use.**", ""]
            if summary["status"] != "ok"
            else []
        ),
        "## Use",
        "",
        "```python",
        loading(summary, data),
        "```",
        "",
        "Scaling and other preprocessing are inside. Outputs are"
        + (
            " probabilities of the classes, in the order of `preprocessing.json`."
            if data["classes"] is not None
            else " targets in their own unit."
        ),
        "",
        "| file | what it is |",
        "|---|---|",
        "| `model.keras` | the model |",
        "| `network.keras` | the same without the preprocessing of its input |",
        *(f"| {name} | the model for TensorFlow Lite |" for name in files),
        "| `preprocessing.json` | the preprocessing, and the classes' names |",
        "| `errors.json` | confusion matrix and mistakes |",
        "",
        *same,
        *absent,
        "",
        "## How well it does",
        "",
        f"On {wrong['samples']:,} test samples, which took no part in any choice:",
        "",
        *_results(summary),
        "",
        *_by_class(wrong),
        "",
        "## How it came to be",
        "",
        f"- Data: {data['origin']}, {parts} samples; version {data['version']}.",
        f"- Epochs: {summary['epochs_trained']:.1f} received by these weights, ancestors included;"
        f" {summary['epochs_spent']:.1f} spent by the whole search"
        + (f" of a budget of {summary['budget']:g}." if summary["budget"] else "."),
        f"- Training: {as_text(settings['optimizer'])}, learning rate"
        f" {settings['learning_rate']:g}, batches of {settings['batch_size']}.",
        f"- Scored by {summary['objective']} on held-out validation samples.",
        f"- netsurgery {netsurgery.__version__}; the same configuration and seed give these weights"
        " again.",
        "",
        "Layers, from the input on:",
        "",
        *(f"{i}. {layer}" for i, layer in enumerate(summary["layers"])),
        "",
        "## Limits",
        "",
        "It knows what its training samples show, and no more: for data from elsewhere, measure"
        " again before you rely on it. Topology and weights were chosen by validation accuracy, so"
        " the test figures above, not the validation ones, are to be reported. Its probabilities"
        " are not calibrated, and no fairness between groups was looked at.",
        *(["", f"Method: {METHODS[algorithm]}."] if algorithm in METHODS else []),
    ]
    return "\n".join(lines) + "\n"
