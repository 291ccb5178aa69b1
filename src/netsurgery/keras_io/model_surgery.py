"""Surgery on a user's Keras model: list its legal mutations, and apply one.

The child keeps the names and settings of the layers, the compilation, and the optimizer's slots of
the weights that survive.
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import keras
import numpy as np

from netsurgery.keras_io import constraints, conversion, effects, optimizer_slots, reading
from netsurgery.keras_io.calibration import Samples, samples_for
from netsurgery.keras_io.compilation import compile_like, copy_attributes
from netsurgery.keras_io.keras_errors import first_line
from netsurgery.keras_io.variables import variables
from netsurgery.networks.network import Network
from netsurgery.networks.topology import Topology
from netsurgery.storage.files import UnusableFileError
from netsurgery.surgery import (
    ECTONAS,
    IllegalMutation,
    Mutation,
    MutationResult,
    MutationSizes,
    Operation,
    Slots,
    is_exact,
    mutate,
    mutate_topology,
    with_default_width,
)
from netsurgery.surgery.mutations import legal_children
from netsurgery.surgery.settings import Growth

Origins = list[int | None]
BYTES_PER_PARAMETER = 16  # of the parent and the child, in numpy and in Keras


@dataclass(frozen=True)
class LegalMutation:
    """A legal mutation of a model, and its effect.

    Attributes:
        mutation: the mutation, with its width and pooling.
        parameters: trainable parameters of the child.
        exact: whether the child's predictions are the same up to rounding.
        where: the layer at the mutation's position, for display.
        layer: the name of this layer in Keras; of a block, that of the layer which joins its rows.
    """

    mutation: Mutation
    parameters: int
    exact: bool
    where: str = ""
    layer: str | None = None


@dataclass(frozen=True)
class ModelMutationResult:
    """What `apply` returns.

    Attributes:
        model: the child.
        summary: one line on what changed.
    """

    model: keras.Model
    summary: str


def origins(topology: Topology, child: Topology, mutation: Mutation) -> Origins:
    """For each layer of the child its position in the parent; None for new layers."""
    return [*mutation.operation.layer_origins(topology, child, mutation.at(topology))]


def parameters(topology: Topology, like: Sequence[Any], model: keras.Model) -> int:
    """Trainable parameters, without those of frozen layers; new ones are frozen with the model."""
    frozen = [not getattr(model if old is None else old, "trainable", True) for old in like]
    kept = zip(topology.layers, topology.input_shapes, frozen, strict=True)
    return topology.parameters - sum(
        layer.parameters(shape) for layer, shape, is_frozen in kept if is_frozen
    )


def list_mutations(
    model: keras.Model, operations: Sequence[Operation] = ECTONAS
) -> list[LegalMutation]:
    """All mutations that a model allows, by operation and position; see `legal_mutations`.

    Raises:
        UnusableFileError: the model is neither sequential nor functional, or the shape of its
            input is unknown.
    """
    network, layers = _read(model)
    topology = network.topology
    rounded, constrained = effects.low_precision(model), effects.has_constraints(model)
    legal = []
    for mutation, child in legal_children(topology, operations=operations):
        like = _keras_layers(layers, origins(topology, child, mutation))
        exact = is_exact(topology, mutation) and not (rounded and mutation.position is not None)
        if exact and constrained:
            result = mutate(network, mutation)
            exact = not constraints.satisfy(result.network, network, like)[1]
        count, where = parameters(child, like, model), effects.describe_place(topology, mutation)
        name = None if mutation.position is None else layers[mutation.at(topology)].name
        legal.append(LegalMutation(mutation, count, exact, where, name))
    return legal


def to_json(legal: LegalMutation) -> dict[str, Any]:
    """A legal mutation as plain values."""
    whole = {**legal.mutation.to_json(), "layer": legal.layer}
    return {**whole, "parameters": legal.parameters, "exact": legal.exact}


def apply(
    model: keras.Model,
    mutation: Mutation,
    rng: np.random.Generator | None = None,
    *,
    calibration: Samples | None = None,
    noise: float = 0.0,
    growth: Growth | str = Growth.COPIES,
    sizes: MutationSizes | None = None,
) -> ModelMutationResult:
    """Apply a mutation to a model; do not use the given model afterwards.

    Args:
        model: sequential or functional; the child takes over the layers that surgery does not
            know, and whatever Python objects (losses, metrics, initializers, constraints) the model
            was made of.
        mutation: the operation, its place and its size. A place may be the name of a Keras layer.
        rng: draws what is copied.
        calibration: (n, *input_shape) samples as the model takes them, for removal by least
            squares; of a model with several inputs a mapping from their names, or a sequence. They
            also show whether samples have negative values, which an inserted activation must not
            cut off.
        noise: relative size of the noise on copies of units and channels, finite and not negative.
        growth: what added units and channels are: `copies`, `equal_copies` that share outgoing
            weights equally, or new ones with outgoing weights of `zeros`.
        sizes: how much the operation changes if the mutation gives no width.

    Returns:
        The child, compiled as its parent is. Its new weights satisfy their constraints.

    Raises:
        IllegalMutation: the model does not allow it; the message says why.
        UnusableFileError: surgery cannot use the model, its weights are not finite, Keras cannot
            build or compile the child, or the calibration samples do not fit the model.
    """
    network, layers = _read(model)
    if calibration is not None:
        checked = samples_for(network.topology, calibration)
        network = with_known_sign(network, checked)
    else:
        checked = None
    topology = network.topology
    mutation = _at_place(mutation, topology, layers)
    mutation = with_default_width(topology, mutation, sizes)
    _check_memory(mutate_topology(topology, mutation))  # before anything that takes time
    if not network.finite:
        raise UnusableFileError("its weights are not finite, so its training has diverged")
    _check_noise(mutation, noise, growth := Growth(growth))
    initial = optimizer_slots.initial_values(model) if model.compiled else {}
    slots = optimizer_slots.add_constant(optimizer_slots.read_slots(model, layers), initial, -1)
    result = _mutate(network, mutation, rng, checked, slots, noise, growth)
    positions = origins(topology, result.network.topology, mutation)
    like = _keras_layers(layers, positions)
    child, projected = constraints.satisfy(result.network, network, like)
    try:
        new, new_layers = conversion.build(child, like, parent=model)
    except Exception as failed:  # Keras raises many types
        raise UnusableFileError(f"Keras cannot build the child: {first_line(failed)}") from failed
    if model.compiled:
        compile_like(new, model, new_layers, like)
        slots = optimizer_slots.add_constant(result.slots, initial, 1)
        unchanged = _unchanged_variables(layers, network, new_layers, child)
        optimizer_slots.transfer_state(model, new, new_layers, slots, unchanged)
    copy_attributes(new, model)
    before, after = (
        parameters(topology, layers, model),
        parameters(child.topology, like, model),
    )
    effect = effects.describe_effect(
        is_exact=is_exact(topology, mutation),
        noise_bound=result.noise_bound,
        projected=projected,
        precision="" if mutation.position is None else effects.low_precision(model),
    )
    change = effects.describe_change(topology, child.topology, mutation, positions)
    return ModelMutationResult(new, f"{change}; {before:,} -> {after:,} parameters; {effect}")


def with_known_sign(network: Network, samples: np.ndarray) -> Network:
    """The network with what samples tell of the sign of its input."""
    known = network.topology.non_negative_input or not (samples < 0).any()
    return replace(network, topology=replace(network.topology, non_negative_input=known))


def _read(model: keras.Model) -> tuple[Network, list[Any]]:
    if (backend := keras.backend.backend()) != "tensorflow":
        raise UnusableFileError(
            f"Keras runs on {backend}, surgery needs TensorFlow: set KERAS_BACKEND=tensorflow"
        )
    try:
        return reading.read(model)
    except ValueError as unusable:
        raise UnusableFileError(str(unusable)) from None


def _at_place(mutation: Mutation, topology: Topology, layers: Sequence[Any]) -> Mutation:
    """The mutation with a place of the network where it names a Keras layer."""
    names = [layer.name for layer in layers]
    if mutation.position in topology.places or mutation.position not in names:
        return mutation
    return replace(mutation, position=topology.places[names.index(mutation.position)])


def _mutate(
    network: Network,
    mutation: Mutation,
    rng: np.random.Generator | None,
    calibration: np.ndarray | None,
    slots: Slots,
    noise: float,
    growth: Growth,
) -> MutationResult:
    given = "the noise" if calibration is None else "the calibration samples"
    too_large = f"its weights or {given} are too large: the new weights would not be finite"
    try:
        with np.errstate(over="ignore", invalid="ignore"):
            result = mutate(
                network,
                mutation,
                rng,
                calibration=calibration,
                slots=slots,
                noise=noise,
                growth=growth,
            )
    except ValueError as failed:
        if isinstance(failed, np.linalg.LinAlgError):
            raise UnusableFileError(too_large) from None
        if calibration is not None:
            raise UnusableFileError(f"calibration: {failed}") from None
        raise
    if not result.network.finite:
        raise UnusableFileError(too_large)
    return result


def _keras_layers(layers: Sequence[Any], positions: Origins) -> list[Any]:
    return [None if i is None else layers[i] for i in positions]


def _check_memory(child: Topology) -> None:
    available = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if child.parameters * BYTES_PER_PARAMETER > available:
        raise IllegalMutation(
            f"the child would have {child.parameters:,} parameters, which do not fit into this"
            f" machine's memory of {available / 2**30:.0f} GiB"
        )


def _check_noise(mutation: Mutation, noise: float, growth: Growth) -> None:
    if not (math.isfinite(noise) and noise >= 0):
        raise IllegalMutation(f"noise: {noise:g} is not a finite number of at least 0")
    if noise and not mutation.operation.accepts_noise:
        raise IllegalMutation(
            f"{mutation.operation} takes no noise: it copies no units or channels"
        )
    if noise and growth is Growth.ZEROS:
        raise IllegalMutation("noise needs copies of units or channels: growth is zeros")


def _variables_by_array(layers: Sequence[Any], network: Network) -> list[tuple[int, Any]]:
    """The id of each array of a network, and the Keras variable that holds it."""
    return [
        (id(array), variable)
        for keras_layer, layer, arrays in zip(
            layers, network.topology.layers, network.weights, strict=True
        )
        for array, variable in zip(arrays, variables(keras_layer, layer), strict=True)
    ]


def _unchanged_variables(
    layers: Sequence[Any], network: Network, child_layers: Sequence[Any], child: Network
) -> dict[int, Any]:
    """By the id of a variable of the child the parent's one with the same values."""
    old = dict(_variables_by_array(layers, network))
    return {
        id(variable): old[array]
        for array, variable in _variables_by_array(child_layers, child)
        if array in old
    }
