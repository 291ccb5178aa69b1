"""What a mutation does to a Keras model, in words, and what else makes it inexact there."""

from __future__ import annotations

import math
from collections.abc import Sequence

import keras

from netsurgery.networks.topology import Topology
from netsurgery.surgery import Mutation
from netsurgery.surgery.structure import is_series

HALF = ("float16", "bfloat16")


def low_precision(model: keras.Model) -> str:
    """In what a layer of the model computes if that is less precise than float32; else empty."""
    for layer in model.layers:
        for part in layer._flatten_layers():
            if part.quantization_mode is not None:
                return str(part.quantization_mode)
            if part.compute_dtype in HALF:
                return str(part.compute_dtype)
    return ""


def has_constraints(model: keras.Model) -> bool:
    """Whether any trainable variable of the model has a constraint."""
    return any(variable.constraint is not None for variable in model.trainable_variables)


def describe_place(topology: Topology, mutation: Mutation) -> str:
    """The layer at a mutation's position, for display."""
    if mutation.position is None:
        return ""
    return f"{topology.layers[mutation.at(topology)]}{_reading(topology, mutation)}"


def _reading(topology: Topology, mutation: Mutation) -> str:
    """What a conv cell takes two axes for: the model cannot tell."""
    shape = topology.input_shapes[mutation.at(topology)]
    if not mutation.operation.takes_pooling or len(shape) != 2 or is_series(topology):
        return ""
    return f" ({shape[0]}x{shape[1]} taken as height x width)"


def describe_change(
    topology: Topology, child: Topology, mutation: Mutation, origins: Sequence[int | None]
) -> str:
    """What a mutation did to the layers, for display.

    Args:
        topology: before it.
        child: after it.
        mutation: the mutation.
        origins: for each layer of the child its position in the parent; None for new layers.
    """
    if mutation.position is None:
        return "identity: nothing changed"
    position = mutation.at(topology)
    added = [text for text, i in zip(child.descriptions, origins, strict=True) if i is None]
    removed = [text for i, text in enumerate(topology.descriptions) if i not in origins]
    what = f"{mutation.operation} at {mutation.position}: "
    if added:
        return f"{what}added {', '.join(added)}{_reading(topology, mutation)}"
    if removed:
        return f"{what}removed {', '.join(removed)}"
    changed = [i for i, layer in enumerate(topology.layers) if layer != child.layers[i]]
    others = [str(topology.places[i]) for i in changed if i != position]
    along = f", and with it {', '.join(others)}" if others else ""
    return f"{what}{topology.layers[position]} is now {child.layers[position]}{along}"


def describe_effect(
    *, is_exact: bool, noise_bound: float, projected: Sequence[str], precision: str
) -> str:
    """What a mutation did to the predictions, for display.

    Args:
        is_exact: whether it changes no prediction in exact arithmetic.
        noise_bound: the largest effect of added noise; 0 without noise.
        projected: names of the layers whose new weights a constraint changed.
        precision: that of the layers if it is lower than float32's; else empty.
    """
    if projected:
        names = ", ".join(projected)
        return f"approximate: predictions change, also by the constraints of {names}"
    if not is_exact or math.isinf(noise_bound):
        return "approximate: predictions change"
    if noise_bound:
        return (
            f"approximate: noise changes the next layer by at most {noise_bound:.3g} of its input"
        )
    if precision:
        return f"approximate: predictions change by the rounding of {precision}"
    return "exact: predictions stay the same"
