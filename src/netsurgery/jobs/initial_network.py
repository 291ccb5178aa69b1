"""The network that a search starts with: of a topology, with fresh weights, or a user's model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from netsurgery import datasets
from netsurgery.config.starting_models import StartingModel, content_of_model
from netsurgery.datasets import codes
from netsurgery.jobs.training_step import TrainingStep
from netsurgery.keras_io.embedding import embedding_front
from netsurgery.networks import penalties
from netsurgery.networks.network import initialise
from netsurgery.networks.topologies import build
from netsurgery.networks.topology import Topology
from netsurgery.objectives.tasks import TASKS
from netsurgery.objectives.training_settings import PenaltySettings
from netsurgery.storage.files import UnusableFileError
from netsurgery.storage.random_streams import random_stream
from netsurgery.storage.settings import from_settings
from netsurgery.training import TrainableNetwork, starting_model


def fresh_network(
    step: TrainingStep,
    layers: list[dict[str, Any]],
    activation: str,
    max_parameters: int | None = None,
) -> TrainableNetwork:
    """A network with fresh weights.

    Args:
        step: that trains it.
        layers: the entries of its topology (see `netsurgery.networks.topologies.build`).
        activation: of the output layer in classification.
        max_parameters: of the network; None: no limit.

    Raises:
        DataError: the topology does not accept the samples.
    """
    data = datasets.describe(step.data)
    activation = TASKS[data["task"]].output_activation(activation)
    shape = step.training.input_shape
    front = embedding_front(shape[-1], codes.counts(data), max_parameters)
    try:
        topology = build(layers, shape, data["outputs"], activation, front, datasets.parts_of(data))
    except ValueError as error:
        raise datasets.DataError(f"{data['origin']}: {error}") from None
    topology = _completed(topology, step)
    return step.trainable(initialise(topology, random_stream(step.seed, "initial weights")))


def network_of_model(step: TrainingStep, start: Mapping[str, str]) -> TrainableNetwork:
    """A user's model, with its weights and, for the same optimizer, its optimizer's state.

    Args:
        step: that trains it.
        start: its `path`, and the `sha256` of its content when the run began.

    Raises:
        DataError: it does not accept the samples.
        UnusableFileError: it has changed, or a search could not train it.
    """
    path = Path(start["path"])
    if content_of_model(path) != start["sha256"]:
        raise UnusableFileError(f"{path}: has changed since the run began; start the run again")
    network, state = starting_model.load(path, step.training_settings.compile)
    data = datasets.describe(step.data)
    if codes.counts(data):
        raise datasets.DataError(
            f"{data['origin']}: a category has too many levels for an input each, which a start"
            f" from {path} needs; raise `max_one_hot_levels`"
        )
    model = StartingModel(str(path), start["sha256"], network.topology, {})
    shape, scaling = tuple(data["shape"]), data["settings"].get("scaling")
    inputs = {part.name: part.shape for part in datasets.parts_of(data)}
    reason = model.why_unsuitable(
        shape, data["outputs"], data["task"], data["name"], scaling, inputs
    )
    if reason:
        raise datasets.DataError(f"{path}: {reason}")
    return step.trainable(replace(network, topology=_completed(network.topology, step)), state)


def _completed(topology: Topology, step: TrainingStep) -> Topology:
    """The topology with the penalties of the search, and the sign of the training samples."""
    penalty = from_settings(PenaltySettings, step.settings)
    topology = penalties.penalized(topology, (penalty.l1, penalty.l2))
    return replace(topology, non_negative_input=step.training.non_negative)
