"""Searches made by hand for tests of plots, and what their figures show."""

import csv
import io
from dataclasses import replace
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Annotation, Text

from netsurgery import plots
from netsurgery.networks.topologies import build, named
from netsurgery.plots.labels import search_title
from netsurgery.plots.style import OPERATION_STYLES
from netsurgery.search.front import front_table
from netsurgery.search.layout import SearchFolder
from netsurgery.search.lineage import LINEAGE_COLUMNS, lineage
from netsurgery.search.records import Record, Status
from netsurgery.storage.files import write_json, write_text

BATCHES = 10  # per epoch


def entries(first, *values):
    """A history that starts after epoch `first`."""
    return tuple(
        {"epoch": first + i + 1.0, "loss": v, "accuracy": v, "val_loss": v, "val_accuracy": v}
        for i, v in enumerate(values)
    )


TOPOLOGY = build(named("cnn-small"), (28, 28, 1), 10)


def start(*values, **fields):
    """The initial network."""
    known = {"parameters": 1000, "batches_trained": BATCHES * len(values)} | fields
    return Record(
        **{
            "candidate": "g00c00",
            "parent": None,
            "operation": None,
            "position": None,
            "generation": 0,
            "step": "warm-up",
            "topology": TOPOLOGY.to_json(),
            "batches_per_epoch": BATCHES,
            "batches_spent": known["batches_trained"],
            "history": entries(0, *values),
            "score": values[-1],
        }
        | known
    )


def bred(parent, candidate, operation, position, *values, status=Status.OK, grown=0):
    """An offspring after one training step of an epoch per value."""
    return replace(
        parent,
        candidate=candidate,
        parent=parent.candidate,
        operation=operation,
        position=position,
        generation=parent.generation + 1,
        step="phase1/round1/slot0",
        parameters=parent.parameters + grown,
        batches_trained=parent.batches_trained + BATCHES * len(values),
        batches_spent=BATCHES * len(values),
        history=entries(parent.epochs_trained, *values),
        score=values[-1] if values else None,
        status=status,
    )


def summary(final, records, metric="val_accuracy", **fields):
    """The summary of a search."""
    return {
        "algorithm": "ectonas",
        "dataset": "digits",
        "topology": "cnn-small",
        "mode": None,
        "greediness": 1.0,
        "budget": 100,
        "seed": 7,
        "objective": metric,
        "candidate": final.candidate,
        "status": final.status,
        "generations": final.generation,
        "candidates": len({record.candidate for record in records}),
        "start_parameters": 1000,
        "parameters": final.parameters,
        "val_score": final.score,
        "epochs_trained": final.epochs_trained,
        "epochs_spent": sum(record.epochs_spent for record in records),
        "test_score": 0.875,
        "test_accuracy": 0.875,
        "test_loss": 0.25,
    } | fields


def family():
    """Two generations; one candidate diverged, one was born degenerate."""
    root = start(0.2, 0.4, 0.5)
    winner = bred(root, "g01c01", "add_units", 3, 0.45, 0.6, grown=20)
    final = bred(winner, "g02c00", "remove_conv_cell", 0, 0.3, 0.7, grown=-200)
    records = [
        root,
        bred(root, "g01c00", "identity", None, 0.5, 0.55),
        winner,
        bred(root, "g01c02", "add_dense", 5, 0.4, None, status=Status.DIVERGED, grown=50),
        bred(root, "g01c03", "add_channels", 0, status=Status.DEGENERATE, grown=70),
        final,
        bred(winner, "g02c01", "identity", None, 0.6, 0.65),
    ]
    # as after training in a later round, and in the final step
    records.append(
        replace(
            final,
            step="final",
            batches_trained=final.batches_trained + BATCHES,
            batches_spent=BATCHES,
            history=(*final.history, *entries(final.epochs_trained, 0.8)),
            score=0.8,
        )
    )
    rows = lineage(records, {"g00c00", "g01c01", "g02c00", "g02c01"}, "g02c00")
    return records, rows, summary(records[-1], records)


def deep(generations, children, epochs):
    """A large search whose every second candidate of a generation breeds."""
    parents = [start(*np.linspace(0.1, 0.6, 10))]
    records = list(parents)
    survivors = {"g00c00"}
    operations = [name for name in OPERATION_STYLES if name]
    for generation in range(1, generations + 1):
        born: list[Record] = []
        for parent in parents:
            for i in range(children):
                name = f"g{generation:02d}c{len(born):02d}"
                operation = operations[i % len(operations)]
                values = np.linspace(0.5, 0.6 + 0.3 * i / children, epochs)
                born.append(bred(parent, name, operation, i, *values, grown=100 * i))
        records += born
        parents = [born[-1], born[len(born) // 2]]
        survivors |= {parent.candidate for parent in parents}
    final = parents[0]
    rows = lineage(records, survivors, final.candidate)
    return records, rows, summary(final, records)


def draw(search, records, rows, headline):
    """All plots of a search, by name."""
    models = {str(number): record for number, record in enumerate(records)}
    networks = front_table(models, headline["objective"])
    return {
        "accuracy": plots.plot_accuracy(search, records, headline),
        "size": plots.plot_size(search, records, headline),
        "front": plots.plot_front(search, networks, headline),
        "family_tree": plots.plot_family_tree(search, rows, headline),
        "structure": plots.plot_structure(search_title(search, headline), TOPOLOGY),
    }


def boxes(figure, legends=True):
    """Every text that is shown, and its box in pixels: left, bottom, right, top."""
    renderer = FigureCanvasAgg(figure).get_renderer()
    texts = [*figure.texts, *figure.axes[0].texts]
    if legends:  # they are laid out when they are drawn
        figure.draw(renderer)
        texts += [text for legend in figure.legends for text in legend.get_texts()]
    shown = [text for text in texts if text.get_text()]
    for text in shown:
        text.get_window_extent(renderer)  # an annotation finds its place
    # of the text alone, without the line that leads to it
    return shown, np.array([Text.get_window_extent(text, renderer).extents for text in shown])


def curve(figure):
    """The points of the winner's line."""
    return np.asarray(figure.axes[0].lines[-1].get_xydata()).tolist()


def annotations(figure):
    """Annotated epochs, by text."""
    return {
        text.get_text(): text.xy[0]
        for text in figure.axes[0].texts
        if isinstance(text, Annotation) and text.xy[1] == 1
    }


def write_baseline(results: Path) -> SearchFolder:
    """Write the files of a finished baseline, and return its folder."""
    folder = SearchFolder(results / "plain" / "seed7")
    record = start(0.2, 0.4, 0.5)
    final = replace(record, step="final", batches_spent=0)
    write_json(folder.record(0, "warm-up"), record.to_json())
    write_json(folder.final / "network.json", final.to_json())
    write_json(folder.final / "summary.json", summary(final, [record, final]))
    table = io.StringIO()
    writer = csv.DictWriter(table, LINEAGE_COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(lineage([record, final], {"g00c00"}, "g00c00"))
    write_text(folder.lineage, table.getvalue())
    return folder
