"""All tables and figures of a paper, from the finished runs of an experiment."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas
from matplotlib.figure import Figure

from netsurgery.analysis.runs import Experiment, Run, read_experiment
from netsurgery.config.scaling import describe_scale, explain_scale
from netsurgery.plots import plot_against_baseline, plot_evolution, save_figure
from netsurgery.reproduction import curves, ectonas, published, surgeon
from netsurgery.reproduction.plots.experiments import plot_mean_curves, plot_pareto
from netsurgery.reproduction.tables import Table, write_tables
from netsurgery.search.methods import BASELINE, GREEDY, RANDOM, RANDOM_WALK, SURGEON
from netsurgery.storage.files import write_text

PAIRED = "Pairs share dataset, topology and seed; 95 % confidence intervals by Student's t."


def ectonas_tables(experiment: Experiment) -> list[Table]:
    """Tables 1 to 5 of ECToNAS, if there are runs for them, and the claims of its text."""
    runs, scale = ectonas.ectonas_runs(experiment), describe_scale(experiment.scale)
    images = [run for run in runs if run.original != ectonas.TABULAR]
    tabular = [run for run in runs if run.original == ectonas.TABULAR]
    tables = []
    pooled = "Test accuracy in %, mean ± standard deviation over all topologies and seeds."
    if images:
        methods: Sequence[str] = (GREEDY, BASELINE, RANDOM)
        frame = ectonas.accuracies(images, methods, overall=True)
        title = "Table 1: greedy search, baseline and random mode"
        tables.append(Table("table1", title, f"{pooled} {scale}", frame))
        methods = (GREEDY, ectonas.HALF, ectonas.SIZE_ALONE)
        frame = ectonas.accuracies(images, methods, overall=True)
        tables.append(Table("table2", "Table 2: greediness", f"{pooled} {scale}", frame))
    if runs:
        frame = ectonas.crossings(runs, (GREEDY, ectonas.HALF, ectonas.SIZE_ALONE))
        caption = "Searches by kind of starting and final network; the paper's are for Adult."
        title = "Table 3: crossings between kinds of networks"
        tables.append(Table("table3", title, f"{caption} {scale}", frame))
    trials = experiment.results / "_studies" / "pooling" / "summary.csv"
    if trials.exists():
        tables.append(
            Table("table4", "Table 4: pooling trials", pooling_caption(scale), _pooling(trials))
        )
    if tabular:
        methods = (BASELINE, GREEDY, ectonas.HALF, ectonas.SIZE_ALONE, RANDOM)
        frame = ectonas.accuracies(tabular, methods, overall=False)
        tables.append(Table("table5", "Table 5: Adult", f"{pooled} {scale}", frame))
    if runs:
        searched = (GREEDY, ectonas.HALF, ectonas.SIZE_ALONE, RANDOM)
        frame = ectonas.differences(runs, searched)
        if len(frame):
            caption = f"Test accuracy in percentage points. {PAIRED} {scale}"
            tables.append(Table("differences", "Paired differences", caption, frame))
        caption = (
            "Means per search. Saved: compared with training every candidate from scratch, for the"
            f" epochs that its own weights, or the winner's, were trained for. {scale}"
        )
        frame = ectonas.costs(runs, ectonas.METHODS)
        tables.append(Table("costs", "Cost of the searches", caption, frame))
        caption = f"Over all searches; difference: our mean minus the claimed value. {scale}"
        tables.append(Table("claims", "Claims of the text", caption, ectonas.claims(runs)))
    return tables


def pooling_caption(scale: str) -> str:
    """The caption of the pooling trials."""
    return (
        "Validation accuracy in % by rule for the weights of the first dense layer, immediately"
        f" after inserting the pooling layer and after one epoch. {scale}"
    )


def _pooling(path: Path) -> pandas.DataFrame:
    means = pandas.read_csv(path)
    rows = pandas.DataFrame(
        {
            "pooling": means["pooling"],
            "rule": means["rule"].str.replace("_", " "),
            "runs": means["seeds"].astype(str),
        }
    )
    for stage, label in (
        ("before", "before"),
        ("right_after", "right after"),
        ("after_epoch", "1 epoch"),
    ):
        rows[label] = 100 * means[stage]
        rows[f"{label} sd"] = 100 * means[f"{stage}_deviation"]
        if stage != "before":
            rows[f"paper, {label}"] = 100 * means[f"paper_{stage}"]
            rows[f"difference, {label}"] = rows[label] - rows[f"paper, {label}"]
    return rows


def surgeon_tables(experiment: Experiment) -> list[Table]:
    """Table 3 of the Surgeon, and the claims of its text."""
    runs, scale = surgeon.surgeon_runs(experiment), describe_scale(experiment.scale)
    if not any(run.method in (SURGEON, RANDOM_WALK) for run in runs):
        return []
    caption = (
        "Validation accuracy in %, mean ± standard deviation over the seeds (runs: baseline /"
        f" Surgeon); change of the number of parameters in %. {scale}"
    )
    tables = [
        Table("table3", "Table 3: the Surgeon and its baseline", caption, surgeon.table3(runs))
    ]
    frame = surgeon.differences(runs)
    if len(frame):
        caption = f"Test accuracy in percentage points. {PAIRED} {scale}"
        tables.append(Table("differences", "Paired differences", caption, frame))
    caption = f"Over all searches. {scale}"
    tables.append(Table("claims", "Claims of the text", caption, surgeon.claims(runs)))
    return tables


TABLES: dict[str, Callable[[Experiment], list[Table]]] = {
    "ectonas": ectonas_tables,
    "surgeon": surgeon_tables,
}


@dataclass(frozen=True)
class PaperFigure:
    """A figure with its caption, which names the figure of the paper."""

    name: str  # of its file
    alternative: str  # alternative text
    caption: str
    figure: Figure


def ectonas_figures(experiment: Experiment) -> Iterator[PaperFigure]:
    """Figures 5 and 6 of ECToNAS, if there are runs for them, and accuracy against size."""
    runs, scale = ectonas.ectonas_runs(experiment), describe_scale(experiment.scale)
    methods = (GREEDY, RANDOM, BASELINE)
    if any(run.result for run in runs if run.method in methods):
        yield PaperFigure(
            "figure5",
            "Mean validation accuracy over epochs of greedy search, random mode and baseline, one"
            " panel per dataset.",
            "Figure 5 of the paper. Means over topologies and seeds. Random mode and baseline are"
            " cut off, for each topology, at the mean epochs of the greedy search's winners, which"
            f" causes the jumps. {scale}",
            plot_mean_curves(
                (
                    "Greedy search, random mode and baseline",
                    f"mean over all runs still training. {scale}",
                ),
                runs,
                methods,
                cut_by=GREEDY,
            ),
        )
    example = example_of(runs, ectonas.HALF, [("cifar10", "ff-large")])
    if example is not None:
        shown = f"{published.dataset_label(example.dataset, example.original)}, {example.topology}"
        note = "" if example.original == "cifar10" else " (the paper uses CIFAR-10)"
        baseline = curves.baseline_of(example, runs)
        yield PaperFigure(
            "figure6",
            f"Validation accuracy over epochs of one balanced search on {shown}, its operations"
            " marked, and of its baseline.",
            f"Figure 6 of the paper: one search with alpha 0.5, {shown}, seed"
            f" {example.seed}{note}. The paper's search ends above its baseline with about 7 % of"
            f" the parameters it started with. {scale}",
            plot_against_baseline(
                f"{shown}, alpha 0.5, seed {example.seed}",
                example.folder,
                baseline.folder if baseline else None,
            ),
        )
    if any(run.result for run in runs):
        yield PaperFigure(
            "pareto",
            "Test accuracy against trainable parameters of all final networks, by method, one panel"
            " per dataset.",
            "Each small marker is a run; large markers are means with their standard deviation."
            f" {scale}",
            plot_pareto(
                ("Accuracy and size of the final networks", f"test samples. {scale}"), runs
            ),
        )


def surgeon_figures(experiment: Experiment) -> Iterator[PaperFigure]:
    """Figures 2 to 5 of the Surgeon, if there are runs for them."""
    runs, scale = surgeon.surgeon_runs(experiment), describe_scale(experiment.scale)
    if not any(run.result for run in runs if run.method == SURGEON):
        return
    yield PaperFigure(
        "figure2",
        "Mean validation accuracy over epochs of the Surgeon and its baseline, one panel per"
        " dataset and topology.",
        f"Figure 2 of the paper. Means over the seeds. {scale}",
        plot_mean_curves(
            ("The Surgeon and its baseline", f"means over the seeds. {scale}"),
            runs,
            (SURGEON, BASELINE),
            by_topology=True,
        ),
    )
    cases = {
        "figure3": (
            "eurosat",
            "small",
            "a network that hardly learns is rescued and grows by less than 1 %",
        ),
        "figure4-left": ("cifar10", "large", "adding a layer escapes a local optimum"),
        "figure4-right": (
            "fashion-mnist",
            "large",
            "the same accuracy with about 14 % fewer parameters",
        ),
        "figure5": ("svhn", "medium", "the topology oscillates between similar states at the end"),
    }
    for name, (dataset, size, observation) in cases.items():
        example = example_of(runs, SURGEON, [(dataset, f"surgeon-{size}")])
        if example is None:
            continue
        shown = f"{published.dataset_label(example.dataset, example.original)}, {example.topology}"
        number, _, side = name.removeprefix("figure").partition("-")
        number += f" ({side})" if side else ""
        caption = (
            f"Figure {number} of the paper is a search on"
            f" {published.DATASET_NAMES[dataset]} from the {size} topology: {observation}. Here:"
            f" {shown}, seed {example.seed}. {scale}"
        )
        title = f"{shown}, seed {example.seed}"
        if name != "figure5":
            baseline = curves.baseline_of(example, runs)
            yield PaperFigure(
                name,
                f"Validation accuracy over epochs of one search on {shown} and of its baseline.",
                caption,
                plot_against_baseline(title, example.folder, baseline.folder if baseline else None),
            )
        if name in ("figure3", "figure5"):
            yield PaperFigure(
                name if name == "figure5" else "figure3-right",
                f"The topologies along the winner's lineage of one search on {shown}.",
                caption,
                plot_evolution(title, curves.lineage(example)),
            )


def example_of(runs: Sequence[Run], method: str, wanted: Sequence[tuple[str, str]]) -> Run | None:
    """The finished run for a figure of a single run: the paper's case, or the closest to it."""
    done = [run for run in runs if run.method == method and run.result is not None]

    def distance(run: Run) -> tuple[bool, bool]:
        return (
            all(run.topology != topology for _, topology in wanted),
            all(run.original != dataset for dataset, _ in wanted),
        )

    return min(done, key=distance, default=None)


FIGURES: dict[str, Callable[[Experiment], Iterator[PaperFigure]]] = {
    "ectonas": ectonas_figures,
    "surgeon": surgeon_figures,
}


def write_paper(results: Path, paper: str) -> None:
    """Write the tables and figures of a paper; missing runs are marked as missing.

    Args:
        results: the folder of all searches.
        paper: ectonas or surgeon.
    """
    experiment = read_experiment(results)
    folder = results / "papers" / paper
    entries = []
    for figure in FIGURES[paper](experiment):
        for kind in ("svg", "png"):
            save_figure(figure.figure, folder / f"{figure.name}.{kind}")
        entries.append(f"![{figure.alternative}]({figure.name}.png)\n\n{figure.caption}\n")
    tables = TABLES[paper](experiment)
    write_tables(tables, folder, explain_scale(experiment.scale))
    write_text(folder / "figures.md", "\n".join(entries))
