"""A first search for a dataset: a start that fits the samples, and a budget that fits their number.

The rules are rules of thumb. They aim at a first result within minutes on two cores.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from netsurgery.datasets.joined_inputs import parts_of
from netsurgery.datasets.source import TEST, TRAINING, VALIDATION, Suggestion
from netsurgery.networks import topologies
from netsurgery.networks.layers import InputPart

STARTS = {
    1: ("ff-small",),
    2: ("cnn-tiny", "ff-small"),
    3: ("cnn-tiny", "ff-small"),
}
EPOCHS = (20, 200)  # fewest and most
VALUES_SEEN = 2e9  # that all epochs together read, for images; a table's row takes longer
ROW_VALUES = 500
PARAMETERS = (1_000, 100_000)  # fewest and most
CONVOLUTIONS = 50_000  # parameters; their weights are shared by all places
PER_SAMPLE = 20  # parameters
FEW = 1_000  # samples of which a tenth says little


def suggestions(data: Mapping[str, Any]) -> Iterator[Suggestion]:
    """The settings of a search, with reasons.

    Args:
        data: Description of the prepared dataset.
    """
    shape, samples = tuple(data["shape"]), data["parts"][TRAINING]
    yield Suggestion("algorithm", "arbor", "grows a small network, then trains what it found")
    inputs = parts_of(data)
    topology, start = _start(shape, data["outputs"], inputs)
    axes = max(len(part.shape) for part in inputs) if inputs else len(shape)
    what = {1: "rows of a table", 2: "series", 3: "images"}[axes]
    if inputs:
        what = " and ".join(part.name for part in inputs)
    yield Suggestion("topology", topology, f"a small start for {what}: {start:,} parameters")
    epochs = VALUES_SEEN / samples / max(ROW_VALUES, math.prod(shape))
    budget = round(min(max(epochs, EPOCHS[0]), EPOCHS[1]))
    yield Suggestion("budget", budget, f"epochs, for {samples:,} samples; raise it to go on")
    fewest, why = PARAMETERS[0], f"some {PER_SAMPLE} per sample; more learn by heart"
    if axes > 1:
        fewest, why = CONVOLUTIONS, "a small network, which trains and predicts quickly"
    most = min(max(PER_SAMPLE * samples, fewest, 2 * start), max(PARAMETERS[1], 2 * start))
    yield Suggestion("max_parameters", _round(most), why)
    if samples < FEW:
        for part in (VALIDATION, TEST):
            if part not in data["parts"]:
                yield Suggestion(f"{part}_fraction", 0.2, "with few samples, a tenth says little")
    yield Suggestion("seeds", [42], "add seeds for a mean and a spread: [42, 43, 44]")


def _start(shape: tuple[int, ...], outputs: int, inputs: Sequence[InputPart]) -> tuple[str, int]:
    """The first topology that takes the samples, and its parameters."""
    for name in STARTS[max([len(part.shape) for part in inputs] or [len(shape)])]:
        try:
            start = topologies.build(topologies.named(name), shape, outputs, inputs=inputs)
            return name, start.parameters
        except ValueError:  # such as pooling of 1 x 1
            continue
    raise AssertionError(f"the last of {STARTS} takes any shape")


def _round(number: float) -> int:
    """A number with two digits that count."""
    step = 10 ** max(0, int(math.log10(number)) - 1)
    return int(math.ceil(number / step) * step)
