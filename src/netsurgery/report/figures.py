"""Pictures in the page, as SVG in its own text, with words for those who cannot see them."""

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
from netsurgery.config.scaling import describe as scale_in_words
from netsurgery.plots.labels import format_score, operation_label
from netsurgery.plots.style import BLUE, GREY, styled
from netsurgery.reproduction import ectonas, statistics
from netsurgery.reproduction import papers as all_papers
from netsurgery.reproduction import tables as all_tables
from netsurgery.reproduction.plots.experiments import grid, pareto

PLAIN = " !$'()*+,-./:;<=>?@[]^_`{|}~"  # may stand in the address of a picture, in quotes


@styled
def embedded(figure: Figure, alternative: str, caption: str = "") -> dict[str, Any]:
    """A figure as a picture of the page: its source, size in pixels, and words."""
    stream = io.StringIO()
    figure.savefig(stream, format="svg", metadata={"Date": None})
    text = stream.getvalue()
    text = re.sub(
        r"<metadata>.*?</metadata>|\n\s*", " ", text[text.index("<svg") :], flags=re.DOTALL
    )
    width, height = (round(96 * inches) for inches in figure.get_size_inches())
    return {
        "source": Markup("data:image/svg+xml," + quote(text, PLAIN)),
        "width": width,
        "height": height,
        "alternative": alternative,
        "caption": caption,
    }


def of_search(run: Run, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Accuracy, size and family tree of a finished search; of a baseline accuracy alone."""
    assert run.summary is not None
    summary, records = run.summary, run.folder.records()
    word = summary["objective"].removeprefix("val_")
    chain = [row for row in rows if row["eliminated_in"] == "" and row["operation"]]
    steps = ", ".join(operation_label(row["operation"], row["position"]) for row in chain)
    found = [
        embedded(
            plots.plot_accuracy(run.search, records, summary),
            f"Validation {word} over epochs: the winner ends at"
            f" {format_score(summary['val_score'])}, and at {format_score(summary['test_score'])}"
            " on the test samples.",
            f"Validation {word} along the winner's lineage, all other candidates in grey.",
        )
    ]
    if not summary["generations"]:
        return found
    return [
        *found,
        embedded(
            plots.plot_size(run.search, records, summary),
            f"Trainable parameters over epochs, from {summary['start_parameters']:,} to"
            f" {summary['parameters']:,}.",
            "Trainable parameters along the winner's lineage; grey dots: where others ended.",
        ),
        embedded(
            plots.plot_family_tree(run.search, rows, summary),
            f"Family tree of {len(rows)} candidates; parents came by: {steps or 'no operation'}."
            " The table of the winner's lineage has its operations in order.",
            "Every candidate by generation, joined to its parent; bold: winners, blue: the final"
            " network's lineage.",
        ),
    ]


@styled
def _cloud(found: Mapping[str, Any]) -> Figure:
    figure, (axes,) = grid(
        ("Predicted and true values", f"{found['target']}, test samples"), [""], "true", "predicted"
    )
    true, predicted = zip(*found["points"], strict=True)
    axes.scatter(true, predicted, s=12, c=BLUE, alpha=0.5, linewidths=0)
    low, high = min(true), max(true)
    axes.plot([low, high], [low, high], color=GREY, linewidth=1, linestyle="--")
    return figure


def cloud(found: Mapping[str, Any]) -> dict[str, Any]:
    """Predicted against true values of a regression."""
    middle = found["quantiles"]
    return embedded(
        _cloud(found),
        f"Predicted against true values; half of the errors lie between {middle['0.25']:.3g} and"
        f" {middle['0.75']:.3g}.",
        "A mark per test sample; on the dashed line a prediction is right.",
    )


def _page(table: all_tables.Table) -> Markup:
    return Markup(all_tables.page(table))  # which escapes what it is given


def papers(experiment: Experiment) -> Iterator[dict[str, Any]]:
    """Tables and figures of those papers whose experiments these searches are about."""
    for paper, words in (("ectonas", "ECToNAS, 2024"), ("surgeon", "The Surgeon, 2021")):
        if not _is_of(experiment, paper):
            continue
        yield {
            "name": paper,
            "words": words,
            "tables": [_page(table) for table in all_papers.TABLES[paper](experiment)],
            "pictures": [
                embedded(picture.figure, picture.alternative, picture.caption)
                for picture in all_papers.PICTURES[paper](experiment)
            ],
        }


def _is_of(experiment: Experiment, paper: str) -> bool:
    """Whether a configuration compares methods, as the papers do."""
    if paper == "ectonas":
        methods = {run.method for run in ectonas.ours(experiment)}
        return len(methods) >= 3
    return bool(all_papers.surgeon_tables(experiment)) and len(experiment.runs) > 2


def comparison(experiment: Experiment) -> dict[str, Any] | None:
    """Methods beside each other: means over the seeds, and accuracy against size.

    None where there is one method alone, or where a paper's tables say it all.
    """
    if any(_is_of(experiment, paper) for paper in ("ectonas", "surgeon")):
        return None
    groups: dict[tuple[str, str, str], list[Run]] = {}
    for run in experiment.runs:
        groups.setdefault((run.dataset, run.topology, run.method), []).append(run)
    if len(groups) < 2:
        return None
    rows, scale = [], "" if experiment.scale == 1 else scale_in_words(experiment.scale)
    for (dataset, topology, method), members in groups.items():
        reached = statistics.mean_and_sd([_test(run) for run in members])
        size = statistics.mean_and_sd([ectonas.parameters(run) for run in members])
        rows.append(
            {
                "dataset": dataset,
                "topology": topology,
                "method": method,
                "runs": reached.present,
                "test score": reached.mean,
                "test score sd": reached.deviation,
                "parameters": size.mean,
            }
        )
    table = all_tables.Table(
        "comparison",
        "Methods beside each other",
        "Test accuracy in %, or what the search was scored by; mean ± standard deviation over the"
        f" seeds. {scale}",
        all_tables.pandas.DataFrame(rows),
    )
    classified = [r for r in experiment.runs if r.result and r.result["test_accuracy"] is not None]
    picture = None
    if classified:
        heading = ("Accuracy and size of the final networks", f"on test samples. {scale}")
        picture = embedded(
            pareto(heading, classified),
            "Test accuracy against trainable parameters of all final networks, by method.",
            "Each mark is a run; large ones are means with their standard deviation.",
        )
    return {"table": _page(table), "picture": picture}


def _test(run: Run) -> float | None:
    if run.result is None:
        return None
    accuracy = run.result["test_accuracy"]
    return run.result["test_score"] if accuracy is None else 100 * accuracy
