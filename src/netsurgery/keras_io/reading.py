"""Read a Keras model as a network: sequential models, and functional ones of rows and blocks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from inspect import getattr_static
from typing import Any

import keras

from netsurgery.keras_io import functional, kept_layers, series_parallel
from netsurgery.keras_io.functional import Call
from netsurgery.keras_io.layers_from_keras import from_keras_layer
from netsurgery.keras_io.series_parallel import CrossingRowsError, Fork
from netsurgery.keras_io.variables import to_array, variables
from netsurgery.networks.blocks import Block, Kept, Parallel, Residual, Row
from netsurgery.networks.layers import (
    Add,
    Arrays,
    Concatenate,
    Join,
    KeptJoin,
    Layer,
    Multiply,
    Shape,
)
from netsurgery.networks.network import Network
from netsurgery.networks.topology import Topology

# by the name of Keras's class: of the layer, and of the operation behind `x + y`
JOINS_BY_CLASS: dict[str, Join] = {
    "Add": Add(),
    "Multiply": Multiply(),
    "Concatenate": Concatenate(),
}
# methods of a Keras model that a subclass must leave as they are
RELIED_ON = (
    "__init__",
    "__call__",
    "add",
    "build",
    "call",
    "compile",
    "compile_from_config",
    "compute_output_shape",
    "from_config",
    "get_compile_config",
    "get_config",
)


def read(model: keras.Model) -> tuple[Network, list[Any]]:
    """The network of a Keras model, and the model's layer for each of the network's.

    Raises:
        ValueError: the model is neither sequential nor functional, it computes anything but its
            layers, its rows cross, or the shape of its input is unknown.
    """
    kind = _class_of_keras(model)
    if kind is None:
        raise ValueError(
            f"it is a {type(model).__name__} model, whose layers Python code connects: only"
            " sequential and functional models can be used"
        )
    if changed := _changed_methods(model, kind):
        raise ValueError(
            f"its class {type(model).__name__} has {changed} of its own: only the training of a"
            f" keras.{'Sequential' if kind is keras.Sequential else 'Model'} may be changed"
        )
    if not (model.built and getattr(model, "inputs", None)):
        raise ValueError("the shape of its input must be known: give the model an Input layer")
    row, layers = _sequential(model) if kind is keras.Sequential else _functional(model)
    dtypes = [keras.backend.standardize_dtype(tensor.dtype) for tensor in model.inputs]
    unsigned = all(dtype.startswith(("uint", "bool")) for dtype in dtypes)
    topology = Topology(_input_shape(model), row, unsigned)
    return Network(topology, tuple(map(_arrays, layers, topology.layers))), layers


def _input_shape(model: keras.Model) -> Shape:
    """The shape of a sample; of several inputs, the number of all their numbers."""
    shapes = [tuple(tensor.shape[1:]) for tensor in model.inputs]
    return shapes[0] if len(shapes) == 1 else (sum(map(math.prod, shapes)),)


def _class_of_keras(model: keras.Model) -> type[keras.Model] | None:
    """Whether a model is sequential or functional, by itself or as a subclass."""
    if isinstance(model, keras.Sequential):
        return keras.Sequential
    if functional.is_functional(model):
        return next(each for each in type(model).__mro__ if each.__module__.startswith("keras."))
    return None


def _changed_methods(model: keras.Model, kind: type[keras.Model]) -> str:
    """The methods that a subclass replaces, and that surgery relies on."""
    return ", ".join(
        name
        for name in RELIED_ON
        if hasattr(kind, name)
        and getattr_static(type(model), name) is not getattr_static(kind, name)
    )


def _arrays(keras_layer: Any, layer: Layer) -> Arrays:
    return tuple(to_array(variable) for variable in variables(keras_layer, layer))


# --- sequential models ----------------------------------------------------------------------------


def _sequential(model: keras.Sequential) -> tuple[Row, list[Any]]:
    row: list[Layer] = []
    shape = tuple(model.input_shape[1:])
    for layer in model.layers:
        row.append(from_keras_layer(layer, shape, masked=functional.takes_mask(layer)))
        shape = row[-1].output_shape(shape)
    return tuple(row), list(model.layers)


def with_shortcut_first(model: keras.Model) -> set[int]:
    """The ids of layers of a functional model that add a block's shortcut to its body.

    The network has the body first; the sum is the same to the bit.
    """
    calls = functional.calls(model)
    found: set[int] = set()

    def look(row: series_parallel.Row) -> None:
        for node in row:
            if isinstance(node, Fork):
                if _shortcut(node, calls) == 0:
                    found.add(id(calls[node.join].layer))
                for inner in node.rows:
                    look(inner)

    look(series_parallel.rows_of([call.inputs for call in calls]))
    return found


# --- functional models ----------------------------------------------------------------------------


def _functional(model: keras.Model) -> tuple[Row, list[Any]]:
    calls = functional.calls(model)
    if not calls:
        raise ValueError("it has no layers")
    try:
        tree = series_parallel.rows_of([call.inputs for call in calls])
    except CrossingRowsError as crossing:
        name = calls[crossing.node].layer.name
        readers = [call.layer.name for call in calls if crossing.node in call.inputs]
        raise ValueError(
            f"its layer {name} is on two rows that join, by way of {' and '.join(readers)}: rows"
            " that cross are no blocks"
        ) from None
    layers: list[Any] = []
    return _row(tree, calls, layers), layers


def _row(tree: series_parallel.Row, calls: Sequence[Call], layers: list[Any]) -> Row:
    """The layers and blocks of a row; appends the Keras layer of each step to `layers`."""
    row: list[Layer | Block] = []
    for node in tree:
        if isinstance(node, Fork):
            row.append(_block(node, calls, layers))
        else:
            row.append(_layer(calls[node]))
            layers.append(calls[node].layer)
    return tuple(row)


def _layer(call: Call) -> Layer:
    if call.part is not None:
        return call.part
    (shape,) = call.entering
    if call.is_plain:
        return from_keras_layer(call.layer, shape, call.leaving, masked=call.masked)
    return kept_layers.from_keras(call.layer, shape, _called_with(call), call.leaving, call)


def _called_with(call: Call) -> str:
    return f"its call with {', '.join(call.arguments)}" if call.arguments else ""


def _block(fork: Fork, calls: Sequence[Call], layers: list[Any]) -> Block:
    call = calls[fork.join]
    join, shortcut = _join(call), _shortcut(fork, calls)
    rows = tuple(reversed(fork.rows)) if shortcut == 0 else fork.rows
    branches = tuple(_row(row, calls, layers) for row in rows)
    layers.append(call.layer)
    if isinstance(join, KeptJoin):
        return Kept(branches, join)
    return Parallel(branches, join.function) if shortcut is None else Residual(*branches)


def _shortcut(fork: Fork, calls: Sequence[Call]) -> int | None:
    """Which of the two rows of a residual block is its shortcut; None for other blocks."""
    if len(fork.rows) != 2 or not isinstance(_join(calls[fork.join]), Add):
        return None
    one, two = fork.rows
    if _is_shortcut(one, calls) and len(one) < len(two):
        return 0
    return 1 if _is_shortcut(two, calls) else None


def _is_shortcut(row: series_parallel.Row, calls: Sequence[Call]) -> bool:
    """Whether a row does not compute more than a projection: it has one kernel at most."""
    kernels = 0
    for node in row:
        if isinstance(node, Fork) or calls[node].part is not None:
            return False
        variables = kept_layers.variables(calls[node].layer)
        kernels += any(len(variable.shape) > 1 for variable in variables)
    return kernels <= 1


def _join(call: Call) -> Join:
    """What surgery knows the layer with several inputs as; otherwise it keeps the layer."""
    layer, reason = call.layer, _called_with(call)
    own = type(layer).__module__.partition(".")[0] == "keras"
    known = JOINS_BY_CLASS.get(type(layer).__name__) if own and not reason else None
    if known is not None:
        if getattr(layer, "axis", -1) not in (-1, len(call.leaving)):
            reason = f"its axis {layer.axis}, which is not the last one"
        elif not _gives(known, call):
            reason = "the shapes of its inputs"
        else:
            return known
    return kept_layers.join_from_keras(call, reason)


def _gives(join: Join, call: Call) -> bool:
    if not call.is_layer and len(set(map(len, call.entering))) > 1:
        return False  # operations align the last axes, layers the first
    try:
        return join.output_shape(*call.entering) == call.leaving
    except (ValueError, TypeError):  # sizes may be unknown
        return False
