"""All figures of a paper, from the finished runs of an experiment, and its folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from matplotlib.figure import Figure

from netsurgery.analysis.runs import Experiment
from netsurgery.config.scaling import describe_scale, explain_scale
from netsurgery.plots import plot_against_baseline, plot_evolution, save_figure
from netsurgery.reproduction import curves, ectonas, published, surgeon
from netsurgery.reproduction.paper_runs import PaperRun
from netsurgery.reproduction.paper_tables import TABLES
from netsurgery.reproduction.plots.experiments import plot_mean_curves, plot_pareto
from netsurgery.reproduction.tables import write_tables
from netsurgery.search.methods import BASELINE, GREEDY, RANDOM, SURGEON
from netsurgery.storage.files import write_text


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
                plot_evolution(title, example.lineage),
            )


def example_of(
    runs: Sequence[PaperRun], method: str, wanted: Sequence[tuple[str, str]]
) -> PaperRun | None:
    """The finished run for a figure of a single run: the paper's case, or the closest to it.

    It has its files, from which such figures are drawn.
    """
    done = [
        run for run in runs if run.method == method and run.result is not None and run.kept is None
    ]

    def distance(run: PaperRun) -> tuple[bool, bool]:
        return (
            all(run.topology != topology for _, topology in wanted),
            all(run.original != dataset for dataset, _ in wanted),
        )

    return min(done, key=distance, default=None)


FIGURES: dict[str, Callable[[Experiment], Iterator[PaperFigure]]] = {
    "ectonas": ectonas_figures,
    "surgeon": surgeon_figures,
}


def write_paper(experiment: Experiment, paper: str, folder: Path) -> None:
    """Write the tables and figures of a paper; missing runs are marked as missing.

    Args:
        experiment: whose runs they show.
        paper: ectonas or surgeon.
        folder: for the files.
    """
    entries = []
    for figure in FIGURES[paper](experiment):
        for kind in ("svg", "png"):
            save_figure(figure.figure, folder / f"{figure.name}.{kind}")
        entries.append(f"![{figure.alternative}]({figure.name}.png)\n\n{figure.caption}\n")
    write_tables(TABLES[paper](experiment), folder, explain_scale(experiment.scale))
    write_text(folder / "figures.md", "\n".join(entries))
