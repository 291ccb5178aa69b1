"""All tables and figures of a paper, from what an experiment's results hold so far."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas
from matplotlib.figure import Figure

from netsurgery.analysis.runs import BASELINE, GREEDY, RANDOM, WALK, Experiment, Run, read
from netsurgery.config.scaling import describe, explained
from netsurgery.plots import plot_against_baseline, plot_evolution, save_figure
from netsurgery.reproduction import curves, ectonas, published, surgeon
from netsurgery.reproduction.plots.experiments import mean_curves, pareto
from netsurgery.reproduction.tables import Table
from netsurgery.reproduction.tables import write as write_tables
from netsurgery.storage.files import write_text

PAIRED = "Pairs have dataset, topology and seed in common; 95 % intervals by Student's t."


def _state(experiment: Experiment) -> str:
    return describe(experiment.scale)


def ectonas_tables(experiment: Experiment) -> list[Table]:
    """ECToNAS's tables 1 to 5, as far as there are runs for them, and what its text claims."""
    runs, scale = ectonas.ours(experiment), _state(experiment)
    images = [run for run in runs if run.original != ectonas.TABULAR]
    tabular = [run for run in runs if run.original == ectonas.TABULAR]
    found = []
    together = "Test accuracy in %, mean ± standard deviation over all topologies and seeds."
    if images:
        methods: Sequence[str] = (GREEDY, BASELINE, RANDOM)
        frame = ectonas.accuracies(images, methods, overall=True)
        title = "Table 1: greedy search, baseline and random mode"
        found.append(Table("table1", title, f"{together} {scale}", frame))
        methods = (GREEDY, ectonas.HALF, ectonas.SIZE_ALONE)
        frame = ectonas.accuracies(images, methods, overall=True)
        found.append(Table("table2", "Table 2: greediness", f"{together} {scale}", frame))
    if runs:
        frame = ectonas.crossings(runs, (GREEDY, ectonas.HALF, ectonas.SIZE_ALONE))
        caption = "Searches by what they start from and end at; the paper's are of Adult."
        title = "Table 3: crossings between kinds of networks"
        found.append(Table("table3", title, f"{caption} {scale}", frame))
    trials = experiment.results / "_studies" / "pooling" / "summary.csv"
    if trials.exists():
        found.append(
            Table("table4", "Table 4: pooling trials", pooling_caption(scale), _pooling(trials))
        )
    if tabular:
        methods = (BASELINE, GREEDY, ectonas.HALF, ectonas.SIZE_ALONE, RANDOM)
        frame = ectonas.accuracies(tabular, methods, overall=False)
        found.append(Table("table5", "Table 5: Adult", f"{together} {scale}", frame))
    if runs:
        searched = (GREEDY, ectonas.HALF, ectonas.SIZE_ALONE, RANDOM)
        frame = ectonas.differences(runs, searched)
        if len(frame):
            caption = f"Test accuracy in percentage points. {PAIRED} {scale}"
            found.append(Table("differences", "Differences in pairs", caption, frame))
        caption = (
            "Means of a search. Saved: against training every candidate from scratch, for as many"
            f" epochs as its weights had received, or as the winner's. {scale}"
        )
        frame = ectonas.costs(runs, ectonas.METHODS)
        found.append(Table("costs", "What the searches took", caption, frame))
        caption = f"Over all searches; difference: from the mean to what the text names. {scale}"
        found.append(Table("claims", "What the text claims", caption, ectonas.claims(runs)))
    return found


def pooling_caption(scale: str) -> str:
    """What a reader must know of the pooling trials."""
    return (
        "Validation accuracy in % by what becomes of the first dense layer's weights, right after"
        f" the pooling layer was put in and after one epoch. {scale}"
    )


def _pooling(path: Path) -> pandas.DataFrame:
    known = pandas.read_csv(path)
    rows = pandas.DataFrame(
        {
            "pooling": known["pooling"],
            "rule": known["rule"].str.replace("_", " "),
            "runs": known["seeds"].astype(str),
        }
    )
    for stage, words in (
        ("before", "before"),
        ("right_after", "right after"),
        ("after_epoch", "1 epoch"),
    ):
        rows[words] = 100 * known[stage]
        rows[f"{words} sd"] = 100 * known[f"{stage}_deviation"]
        if stage != "before":
            rows[f"paper, {words}"] = 100 * known[f"paper_{stage}"]
            rows[f"difference, {words}"] = rows[words] - rows[f"paper, {words}"]
    return rows


def surgeon_tables(experiment: Experiment) -> list[Table]:
    """The Surgeon's table 3, and what its text claims."""
    runs, scale = surgeon.ours(experiment), _state(experiment)
    if not any(run.method in (surgeon.SURGEON, WALK) for run in runs):
        return []
    caption = (
        "Validation accuracy in %, mean ± standard deviation over the seeds (runs: baseline /"
        f" Surgeon); change of the number of parameters in %. {scale}"
    )
    found = [
        Table("table3", "Table 3: the Surgeon and its baseline", caption, surgeon.table3(runs))
    ]
    frame = surgeon.differences(runs)
    if len(frame):
        caption = f"Test accuracy in percentage points. {PAIRED} {scale}"
        found.append(Table("differences", "Differences in pairs", caption, frame))
    caption = f"Over all searches. {scale}"
    found.append(Table("claims", "What the text claims", caption, surgeon.claims(runs)))
    return found


TABLES: dict[str, Callable[[Experiment], list[Table]]] = {
    "ectonas": ectonas_tables,
    "surgeon": surgeon_tables,
}


@dataclass(frozen=True)
class Picture:
    """A figure with what it answers to in the paper."""

    name: str  # of its file
    alternative: str  # for those who cannot see it
    caption: str
    figure: Figure


def ectonas_pictures(experiment: Experiment) -> Iterator[Picture]:
    """ECToNAS's figures 5 and 6, as far as there are runs for them, and accuracy against size."""
    runs, scale = ectonas.ours(experiment), _state(experiment)
    methods = (GREEDY, RANDOM, BASELINE)
    if any(run.result for run in runs if run.method in methods):
        yield Picture(
            "figure5",
            "Mean validation accuracy over epochs of greedy search, random mode and baseline, one"
            " panel per dataset.",
            "Figure 5 of the paper. Means over topologies and seeds; random mode and baseline are"
            " cut off where the greedy search's winners end on average, topology by topology, which"
            f" makes the jumps. {scale}",
            mean_curves(
                (
                    "Greedy search, random mode and baseline",
                    f"mean of all that still train. {scale}",
                ),
                runs,
                methods,
                cut_by=GREEDY,
            ),
        )
    example = example_of(runs, ectonas.HALF, [("cifar10", "ff-large")])
    if example is not None:
        shown = f"{published.called(example.dataset, example.original)}, {example.topology}"
        wanted = "" if example.original == "cifar10" else " (the paper's is of CIFAR-10)"
        plain = curves.beside(example, runs)
        yield Picture(
            "figure6",
            f"Validation accuracy over epochs of one balanced search on {shown}, its operations"
            " marked, and of its baseline.",
            f"Figure 6 of the paper: one search with alpha 0.5, {shown}, seed"
            f" {example.seed}{wanted}. The paper's search ends above its baseline with about 7 % of"
            f" the parameters it started with. {scale}",
            plot_against_baseline(
                f"{shown}, alpha 0.5, seed {example.seed}",
                example.folder,
                plain.folder if plain else None,
            ),
        )
    if any(run.result for run in runs):
        yield Picture(
            "pareto",
            "Test accuracy against trainable parameters of all final networks, by method, one panel"
            " per dataset.",
            f"Each mark is a run; large ones are means with their standard deviation. {scale}",
            pareto(("Accuracy and size of the final networks", f"on test samples. {scale}"), runs),
        )


def surgeon_pictures(experiment: Experiment) -> Iterator[Picture]:
    """The Surgeon's figures 2 to 5, as far as there are runs for them."""
    runs, scale = surgeon.ours(experiment), _state(experiment)
    if not any(run.result for run in runs if run.method == surgeon.SURGEON):
        return
    yield Picture(
        "figure2",
        "Mean validation accuracy over epochs of the Surgeon and its baseline, one panel per"
        " dataset and topology.",
        f"Figure 2 of the paper. Means over the seeds. {scale}",
        mean_curves(
            ("The Surgeon and its baseline", f"means over the seeds. {scale}"),
            runs,
            (surgeon.SURGEON, BASELINE),
            by_topology=True,
        ),
    )
    wanted = {
        "figure3": (
            "eurosat",
            "small",
            "a start that hardly learns is rescued, growing by less than 1 %",
        ),
        "figure4-left": ("cifar10", "large", "a local optimum is left by adding a layer"),
        "figure4-right": (
            "fashion-mnist",
            "large",
            "the same accuracy with about 14 % fewer parameters",
        ),
        "figure5": ("svhn", "medium", "the topology swings between similar states in the end"),
    }
    for name, (dataset, size, meaning) in wanted.items():
        example = example_of(runs, surgeon.SURGEON, [(dataset, f"surgeon-{size}")])
        if example is None:
            continue
        shown = f"{published.called(example.dataset, example.original)}, {example.topology}"
        caption = (
            f"Figure {name.removeprefix('figure').replace('-', ', ')} of the paper is a search on"
            f" {published.WORDS[dataset]} from the {size} topology: {meaning}. Here: {shown}, seed"
            f" {example.seed}. {scale}"
        )
        title = f"{shown}, seed {example.seed}"
        if name != "figure5":
            plain = curves.beside(example, runs)
            yield Picture(
                name,
                f"Validation accuracy over epochs of one search on {shown} and of its baseline.",
                caption,
                plot_against_baseline(title, example.folder, plain.folder if plain else None),
            )
        if name in ("figure3", "figure5"):
            yield Picture(
                name if name == "figure5" else "figure3-right",
                f"The topologies along the winner's lineage of one search on {shown}.",
                caption,
                plot_evolution(title, curves.lineage(example)),
            )


def example_of(runs: Sequence[Run], method: str, wanted: Sequence[tuple[str, str]]) -> Run | None:
    """The finished run that a figure of one run shows: the paper's case, or the nearest to it."""
    done = [run for run in runs if run.method == method and run.result is not None]

    def far(run: Run) -> tuple[bool, bool]:
        return (
            all(run.topology != topology for _, topology in wanted),
            all(run.original != dataset for dataset, _ in wanted),
        )

    return min(done, key=far, default=None)


PICTURES: dict[str, Callable[[Experiment], Iterator[Picture]]] = {
    "ectonas": ectonas_pictures,
    "surgeon": surgeon_pictures,
}


def write(results: Path, paper: str) -> None:
    """Write the tables and figures of a paper, missing runs shown as missing.

    Args:
        results: the folder of all searches.
        paper: ectonas or surgeon.
    """
    experiment = read(results)
    folder = results / "papers" / paper
    names = []
    for picture in PICTURES[paper](experiment):
        for kind in ("svg", "png"):
            save_figure(picture.figure, folder / f"{picture.name}.{kind}")
        names.append(f"![{picture.alternative}]({picture.name}.png)\n\n{picture.caption}\n")
    found = TABLES[paper](experiment)
    write_tables(found, folder, explained(experiment.scale))
    write_text(folder / "figures.md", "\n".join(names))
