"""The job that looks at all growths of a trunk before any of them trains."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from netsurgery.jobs.training_step import TrainingStep
from netsurgery.networks.costs import multiplications
from netsurgery.networks.network import Network
from netsurgery.search.arbor.growth import growths
from netsurgery.search.arbor.settings import GrowthSettings
from netsurgery.search.candidates import read_candidate, read_record
from netsurgery.search.first_look import Look
from netsurgery.search.winners import read_winners
from netsurgery.storage.random_streams import random_stream
from netsurgery.surgery import Mutation, mutate
from netsurgery.surgery.settings import SurgerySettings
from netsurgery.training.first_look import gradient_norm

KEPT = "kept"  # a slot that is 1 for all weights of the trunk, and so 0 for new ones


def first_look(
    step: TrainingStep,
    winners: Path,
    growth: GrowthSettings,
    surgery: SurgerySettings,
    is_needed: bool,
) -> None:
    """Write what the first look says of each growth of a trunk.

    Args:
        step: this one.
        winners: the file that names the trunk.
        growth: the settings of growth.
        surgery: the settings of surgery.
        is_needed: whether any of them may train; if not, no growth is looked at.
    """
    if step.failure:
        sys.exit(f"{step.output}: the growths cannot be looked at: {step.failure}")
    (model,) = read_winners(winners).models
    looks: list[Look] = []
    if is_needed:
        path = winners.parent.parent / model
        trunk = read_candidate(path, read_record(path)).network
        looks = look(step, trunk, growths(trunk.topology, growth), surgery)
    step.dependencies.with_inputs([winners]).write(
        step.output, {"growths": [each.to_json() for each in looks]}
    )


def look(
    step: TrainingStep, trunk: Network, mutations: Sequence[Mutation], surgery: SurgerySettings
) -> list[Look]:
    """Look at growths of a trunk.

    Args:
        step: whose training samples give the gradients.
        trunk: that grows.
        mutations: the growths.
        surgery: the settings of surgery.
    """
    chosen = step.calibration_positions(surgery.calibration_samples)
    inputs = step.training.inputs(chosen)
    return [_look(step, trunk, mutation, surgery, chosen, inputs) for mutation in mutations]


def _look(
    step: TrainingStep,
    trunk: Network,
    mutation: Mutation,
    surgery: SurgerySettings,
    positions: np.ndarray,
    inputs: np.ndarray,
) -> Look:
    result = mutate(
        trunk,
        mutation,
        random_stream(step.seed, "first look"),
        calibration=inputs,
        growth=surgery.growth,
        slots={KEPT: ones_for(trunk)},
    )
    network = step.trainable(result.network)
    norm = gradient_norm(network, result.slots[KEPT], step.training, positions.astype(np.int32))
    child = result.network.topology
    gradient = norm if math.isfinite(norm) else None
    return Look(mutation, child.parameters, multiplications(child), gradient)


def ones_for(network: Network) -> tuple[tuple[np.ndarray, ...], ...]:
    """A one for each trainable weight, as slots are."""
    layers = zip(network.topology.layers, network.weights, strict=True)
    return tuple(
        tuple(np.ones_like(array) for array in arrays[: layer.trainable_arrays])
        for layer, arrays in layers
    )
