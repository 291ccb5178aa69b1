"""Figures of the report as embedded SVG, with alternative text."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from markupsafe import Markup
from matplotlib.figure import Figure

from netsurgery import plots
from netsurgery.analysis.runs import Experiment, Run
from netsurgery.config.scaling import describe_scale
from netsurgery.networks.topology import Topology
from netsurgery.plots.labels import format_score, operation_label
from netsurgery.plots.style import BLUE, GREY, styled
from netsurgery.reproduction import ectonas, paper_tables, statistics
from netsurgery.reproduction import papers as all_papers
from netsurgery.reproduction import tables as all_tables
from netsurgery.reproduction.plots.experiments import panel_grid, plot_pareto

UNESCAPED = " !$'()*+,-./:;<=>?@[]^_`{|}~"  # characters that need no escaping in a quoted data URL


@styled
def embed_figure(figure: Figure, alternative: str, caption: str = "") -> dict[str, Any]:
    """A figure for the page: its data URL, size in pixels, alternative text and caption."""
    stream = io.StringIO()
    figure.savefig(stream, format="svg", metadata={"Date": None})
    text = stream.getvalue()
    text = re.sub(
        r"<metadata>.*?</metadata>|\n\s*", " ", text[text.index("<svg") :], flags=re.DOTALL
    )
    width, height = (round(96 * inches) for inches in figure.get_size_inches())
    return {
        "source": Markup("data:image/svg+xml," + quote(text, UNESCAPED)),
        "width": width,
        "height": height,
        "alternative": alternative,
        "caption": caption,
    }


def search_figures(run: Run, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Accuracy, size and family tree of a finished search; for a baseline only the accuracy."""
    assert run.summary is not None
    summary, records = run.summary, run.folder.records()
    word = summary["objective"].removeprefix("val_")
    chain = [row for row in rows if row["eliminated_in"] == "" and row["operation"]]
    steps = ", ".join(operation_label(row["operation"], row["position"]) for row in chain)
    figures = [
        embed_figure(
            plots.plot_accuracy(run.search, records, summary),
            f"Validation {word} over epochs: the winner ends at"
            f" {format_score(summary['val_score'])}, and at {format_score(summary['test_score'])}"
            " on the test samples.",
            f"Validation {word} along the winner's lineage, all other candidates in grey.",
        )
    ]
    if not summary["generations"]:
        return figures
    front = run.folder.front_table(run.algorithm, summary["objective"])
    return [
        *figures,
        embed_figure(
            plots.plot_size(run.search, records, summary),
            f"Trainable parameters over epochs, from {summary['start_parameters']:,} to"
            f" {summary['parameters']:,}.",
            "Trainable parameters along the winner's lineage; grey dots: other candidates when they"
            " were eliminated.",
        ),
        embed_figure(
            plots.plot_front(run.search, front, summary),
            f"Validation {word} of all finished networks against their parameters.",
            "Each dot is a network that may be used. No smaller one is better than those on the"
            " line; `netsurgery pick` exports them.",
        ),
        embed_figure(
            plots.plot_family_tree(run.search, rows, summary),
            f"Family tree of {len(rows)} candidates; operations of all winners: {steps or 'none'}."
            " The table of the winner's lineage lists its operations in order.",
            "All candidates by generation, connected to their parents; bold: winners, blue: the"
            " lineage of the final network.",
        ),
    ]


def structure(run: Run, topology: Topology) -> dict[str, Any]:
    """The final network of a finished search."""
    listed = ", ".join(map(str, topology.layers))
    return embed_figure(
        plots.plot_structure(f"{run.search}, seed {run.seed}", topology),
        f"The layers of the final network: {listed}.",
        "Boxes: layers with their places and the shapes of their outputs; circles: where the rows"
        " of a block meet.",
    )


@styled
def _plot_predictions(errors: Mapping[str, Any]) -> Figure:
    figure, (axes,) = panel_grid(
        ("Predicted and true values", f"{errors['target']}, test samples"),
        [""],
        "true",
        "predicted",
    )
    true, predicted = zip(*errors["points"], strict=True)
    axes.scatter(true, predicted, s=12, c=BLUE, alpha=0.5, linewidths=0)
    low, high = min(true), max(true)
    axes.plot([low, high], [low, high], color=GREY, linewidth=1, linestyle="--")
    return figure


def prediction_scatter(errors: Mapping[str, Any]) -> dict[str, Any]:
    """Scatter plot of predicted against true values of a regression."""
    quantiles = errors["quantiles"]
    return embed_figure(
        _plot_predictions(errors),
        f"Predicted against true values; half of the errors lie between {quantiles['0.25']:.3g} and"
        f" {quantiles['0.75']:.3g}.",
        "One point per test sample; predictions on the dashed line are exact.",
    )


def _table_html(table: all_tables.Table) -> Markup:
    return Markup(all_tables.html_table(table))  # which escapes its content


def paper_sections(experiment: Experiment) -> Iterator[dict[str, Any]]:
    """Tables and figures of the papers whose experiments these searches repeat."""
    for paper, title in (("ectonas", "ECToNAS, 2024"), ("surgeon", "The Surgeon, 2021")):
        if not _is_of(experiment, paper):
            continue
        yield {
            "name": paper,
            "title": title,
            "tables": [_table_html(table) for table in paper_tables.TABLES[paper](experiment)],
            "figures": [
                embed_figure(figure.figure, figure.alternative, figure.caption)
                for figure in all_papers.FIGURES[paper](experiment)
            ],
        }


def _is_of(experiment: Experiment, paper: str) -> bool:
    """Whether a configuration compares methods as a paper does."""
    if paper == "ectonas":
        methods = {run.method for run in ectonas.ectonas_runs(experiment)}
        return len(methods) >= 3
    return bool(paper_tables.surgeon_tables(experiment)) and len(experiment.runs) > 2


def comparison(experiment: Experiment) -> dict[str, Any] | None:
    """Compare methods: means over the seeds, and accuracy against size.

    None if there is only one run of one method, or if the tables of a paper compare them.
    """
    if any(_is_of(experiment, paper) for paper in ("ectonas", "surgeon")):
        return None
    groups: dict[tuple[str, str, str], list[Run]] = {}
    for run in experiment.runs:
        groups.setdefault((run.dataset, run.topology, run.method), []).append(run)
    if len(experiment.runs) < 2:
        return None
    rows, scale = [], "" if experiment.scale == 1 else describe_scale(experiment.scale)
    for (dataset, topology, method), members in groups.items():
        score = statistics.mean_and_sd([_test_score(run) for run in members])
        size = statistics.mean_and_sd([ectonas.parameters(run) for run in members])
        rows.append(
            {
                "dataset": dataset,
                "topology": topology,
                "method": method,
                "runs": score.count_text,
                "test score": score.mean,
                "test score sd": score.deviation,
                "parameters": size.mean,
            }
        )
    title = "Comparison of methods" if len(groups) > 1 else "Mean over the seeds"
    table = all_tables.Table(
        "comparison",
        title,
        "Test accuracy in % or, for a regression, the test score; mean ± standard deviation over"
        f" the seeds. {scale}",
        all_tables.pandas.DataFrame(rows),
    )
    classified = [r for r in experiment.runs if r.result and r.result["test_accuracy"] is not None]
    figure = None
    if classified:
        heading = ("Accuracy and size of the final networks", f"test samples. {scale}")
        figure = embed_figure(
            plot_pareto(heading, classified),
            "Test accuracy against trainable parameters of all final networks, by method.",
            "Each small marker is a run; large markers are means with their standard deviation.",
        )
    return {"title": title, "table": _table_html(table), "figure": figure}


def _test_score(run: Run) -> float | None:
    if run.result is None:
        return None
    accuracy = run.result["test_accuracy"]
    return run.result["test_score"] if accuracy is None else 100 * accuracy
