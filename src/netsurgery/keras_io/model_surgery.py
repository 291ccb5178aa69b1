"""Surgery on a user's Keras model: list its legal mutations, and apply one.

The child keeps the names and settings of the layers, the compilation, and the optimizer's slots of
the weights that survive.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import keras
import numpy as np

from netsurgery.keras_io import conversion, optimizer_slots
from netsurgery.networks.network import Network, Topology
from netsurgery.storage.files import UnusableFileError
from netsurgery.surgery import (
    ECTONAS,
    IllegalMutation,
    Mutation,
    Operation,
    is_exact,
    legal_mutations,
    mutate,
    mutate_topology,
)

Origins = list[int | None]


@dataclass(frozen=True)
class LegalMutation:
    """A legal mutation of a model, and its effect.

    Attributes:
        mutation: the mutation, with its width and pooling.
        parameters: trainable parameters of the child.
        exact: whether the child's predictions are the same up to rounding.
        where: the layer at the mutation's position, for display.
    """

    mutation: Mutation
    parameters: int
    exact: bool
    where: str = ""


@dataclass(frozen=True)
class ModelMutationResult:
    """What `apply` returns.

    Attributes:
        model: the child.
        summary: one line on what changed.
    """

    model: keras.Sequential
    summary: str


def origins(topology: Topology, child: Topology, mutation: Mutation) -> Origins:
    """For each layer of the child its position in the parent; None for new layers."""
    old = list(range(len(topology.layers)))
    position, grown = mutation.position or 0, len(child.layers) - len(old)
    return [*old[:position], *[None] * max(0, grown), *old[position + max(0, -grown) :]]


def parameters(topology: Topology, like: Sequence[keras.Layer | None]) -> int:
    """Trainable parameters, without those of frozen layers."""
    frozen = [old is not None and not old.trainable for old in like]
    kept = zip(topology.layers, topology.shapes, frozen, strict=False)
    return topology.parameters - sum(
        Topology(shape, (layer,)).parameters for layer, shape, is_frozen in kept if is_frozen
    )


def list_mutations(
    model: keras.Sequential, operations: Sequence[Operation] = ECTONAS
) -> list[LegalMutation]:
    """All mutations that a model allows, by operation and position; see `legal_mutations`.

    Raises:
        UnusableFileError: the model is not sequential, or the shape of its input is unknown.
    """
    topology = _network(model).topology
    legal = []
    for mutation in legal_mutations(topology, operations=operations):
        child = mutate_topology(topology, mutation)
        like = _keras_layers(model, origins(topology, child, mutation))
        where = "" if mutation.position is None else str(topology.layers[mutation.position])
        legal.append(
            LegalMutation(mutation, parameters(child, like), is_exact(topology, mutation), where)
        )
    return legal


def to_json(legal: LegalMutation) -> dict[str, Any]:
    """A legal mutation as plain values."""
    return {**legal.mutation.to_json(), "parameters": legal.parameters, "exact": legal.exact}


def apply(
    model: keras.Sequential,
    mutation: Mutation,
    rng: np.random.Generator | None = None,
    *,
    calibration: np.ndarray | None = None,
    noise: float = 0.0,
) -> ModelMutationResult:
    """Apply a mutation to a model; do not use the given model afterwards.

    Args:
        model: sequential; the child takes over the layers that surgery does not know.
        mutation: the operation, its place and its size.
        rng: draws what is copied.
        calibration: (n, *input_shape) samples as the model takes them, for removal by least
            squares. They also show whether samples have negative values, which an inserted
            activation must not cut off.
        noise: relative size of the noise on copies of units and channels.

    Returns:
        The child, compiled as its parent is.

    Raises:
        IllegalMutation: the model does not allow it; the message says why.
        UnusableFileError: the model is not sequential or its weights are not finite, or the
            calibration samples do not fit it.
    """
    network = _network(model)
    if calibration is not None and calibration.size:
        network = with_known_sign(network, calibration)
    topology = network.topology
    mutate_topology(topology, mutation)  # report an illegal mutation before anything else
    if not network.finite:
        raise UnusableFileError("its weights are not finite, so its training has diverged")
    if noise and not mutation.operation.accepts_noise:
        raise IllegalMutation(
            f"{mutation.operation} takes no noise: it copies no units or channels"
        )
    if calibration is not None:
        _check_samples(topology, calibration)
    initial = optimizer_slots.initial_values(model) if model.compiled else {}
    slots = optimizer_slots.add_constant(optimizer_slots.read_slots(model), initial, -1)
    try:
        result = mutate(network, mutation, rng, calibration=calibration, slots=slots, noise=noise)
    except ValueError as unsupported:
        if calibration is None:
            raise
        raise UnusableFileError(f"calibration: {unsupported}") from None
    child = result.network.topology
    like = _keras_layers(model, origins(topology, child, mutation))
    before = parameters(topology, model.layers)
    new = conversion.to_keras(result.network, like, parent=model)
    if model.compiled:
        new.compile_from_config(model.get_compile_config())
        optimizer_slots.transfer_state(
            model, new, optimizer_slots.add_constant(result.slots, initial, 1)
        )
    after = parameters(child, like)
    summary = (
        f"{_describe_change(topology, child, mutation)}; {before:,} -> {after:,} parameters;"
        f" {_describe_effect(topology, mutation, result.noise_bound)}"
    )
    return ModelMutationResult(new, summary)


def with_known_sign(network: Network, samples: np.ndarray) -> Network:
    """The network with what samples tell of the sign of its input."""
    known = network.topology.non_negative_input or not (samples < 0).any()
    return replace(network, topology=replace(network.topology, non_negative_input=known))


def _network(model: keras.Model) -> Network:
    try:
        return conversion.from_keras(model)
    except ValueError as unusable:
        raise UnusableFileError(str(unusable)) from None


def _keras_layers(model: keras.Sequential, layer_origins: Origins) -> list[keras.Layer | None]:
    return [None if i is None else model.layers[i] for i in layer_origins]


def _describe_change(topology: Topology, child: Topology, mutation: Mutation) -> str:
    """What a mutation did to the layers, for display."""
    position = mutation.position
    if position is None:
        return "identity: nothing changed"
    layer_origins = origins(topology, child, mutation)
    added = [str(layer) for layer, i in zip(child.layers, layer_origins, strict=True) if i is None]
    removed = [str(layer) for i, layer in enumerate(topology.layers) if i not in layer_origins]
    what = f"{mutation.operation} at {position}: "
    if added:
        return f"{what}added {', '.join(added)}"
    if removed:
        return f"{what}removed {', '.join(removed)}"
    return f"{what}{topology.layers[position]} is now {child.layers[position]}"


def _describe_effect(topology: Topology, mutation: Mutation, noise_bound: float) -> str:
    if noise_bound:
        return (
            f"approximate: noise changes the next layer by at most {noise_bound:.3g} of its input"
        )
    if is_exact(topology, mutation):
        return "exact: predictions stay the same"
    return "approximate: predictions change"


def _check_samples(topology: Topology, samples: np.ndarray) -> None:
    if samples.shape[1:] != topology.input_shape or not len(samples):
        raise UnusableFileError(
            f"calibration: samples of shape {samples.shape[1:]}, but the model takes"
            f" {topology.input_shape}"
            if len(samples)
            else "calibration: there are no samples"
        )
