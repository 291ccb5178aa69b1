"""What a network computes, in numpy and inference mode."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from netsurgery.networks import activations
from netsurgery.networks.layers import (
    Activation,
    Add,
    Arrays,
    BatchNorm,
    Concatenate,
    Conv,
    Dense,
    Dropout,
    Flatten,
    GlobalPool,
    Join,
    KernelLayer,
    Layer,
    Multiply,
    Pool,
    Regularization,
    Rescaling,
    Reshape,
    Windowed,
)
from netsurgery.networks.layers.windows import by_side, margins, span
from netsurgery.networks.network import Network
from netsurgery.networks.steps import INPUT
from netsurgery.networks.topology import Topology

CHUNK = 32  # samples whose intermediate values are in memory at a time


def windows(x: np.ndarray, layer: Windowed | Pool, fill: float = 0.0) -> np.ndarray:
    """All positions of a layer's window: (n, *sides, c) to (n, *positions, c, *window), a view."""
    shape = x.shape[1:]
    if isinstance(layer, Pool):
        sizes, strides, dilation = layer.size, layer.step, (1,) * (len(shape) - 1)
    else:
        sizes, strides = layer.kernel, layer.strides
        dilation = by_side(layer.dilation, shape)
    sizes, strides = by_side(sizes, shape), by_side(strides, shape)
    around = [
        margins(side, size, step, layer.padding, apart)
        for side, size, step, apart in zip(shape, sizes, strides, dilation, strict=False)
    ]
    if any(map(any, around)):
        x = np.pad(x, ((0, 0), *around, (0, 0)), constant_values=fill)
    spans = tuple(map(span, sizes, dilation))
    view = np.lib.stride_tricks.sliding_window_view(x, spans, axis=tuple(range(1, len(shape))))
    steps = [slice(None, None, step) for step in strides]
    elements = [slice(None, None, apart) for apart in dilation]
    return view[(slice(None), *steps, slice(None), *elements)]


def patches(x: np.ndarray, layer: Conv) -> np.ndarray:
    """What a convolution multiplies: (n, *sides, c) to (n, *positions, taps * c), kernel's rows."""
    view = windows(x, layer)
    dimensions = x.ndim - 2
    rows = np.moveaxis(view, 1 + dimensions, -1)
    return rows.reshape(*rows.shape[: 1 + dimensions], -1)


# --- what each kind of layer computes -------------------------------------------------------------


def _convolve(layer: Conv, kernel: np.ndarray, x: np.ndarray) -> np.ndarray:
    matrix = kernel.reshape(-1, kernel.shape[-1])
    return np.concatenate([patches(x[part], layer) @ matrix for part in chunks(len(x))])


def _multiply(layer: Dense, kernel: np.ndarray, x: np.ndarray) -> np.ndarray:
    return x @ kernel


def _pool(layer: Pool, arrays: Arrays, x: np.ndarray) -> np.ndarray:
    """Averages ignore the padding, as TensorFlow's do."""
    window = tuple(range(2 - x.ndim, 0))
    if layer.function == "max":
        return windows(x, layer, -np.inf).max(axis=window)
    ones = np.ones((1, *x.shape[1:-1], 1), x.dtype)
    sums, counts = (windows(v, layer).sum(axis=window) for v in (x, ones))
    return sums / counts


def _pool_globally(layer: GlobalPool, arrays: Arrays, x: np.ndarray) -> np.ndarray:
    reduce = np.max if layer.function == "max" else np.mean
    return reduce(x, axis=tuple(range(1, x.ndim - 1)), keepdims=layer.keep_sides)


def _normalize(layer: BatchNorm, arrays: Arrays, x: np.ndarray) -> np.ndarray:
    gain, shift = (a.astype(x.dtype) for a in layer.gain_and_shift(arrays))
    return x * gain + shift


def _activate(layer: Activation, arrays: Arrays, x: np.ndarray) -> np.ndarray:
    return activations.apply(layer.function, x, layer.negative_slope)


def _rescale(layer: Rescaling, arrays: Arrays, x: np.ndarray) -> np.ndarray:
    return x * np.asarray(layer.scale, x.dtype) + np.asarray(layer.offset, x.dtype)


def _flatten(layer: Flatten, arrays: Arrays, x: np.ndarray) -> np.ndarray:
    return x.reshape(len(x), -1)


def _reshape(layer: Reshape, arrays: Arrays, x: np.ndarray) -> np.ndarray:
    return x.reshape(len(x), *layer.shape)


def _keep(layer: Dropout | Regularization, arrays: Arrays, x: np.ndarray) -> np.ndarray:
    return x


def _apply_kernel(layer: KernelLayer, arrays: Arrays, x: np.ndarray) -> np.ndarray:
    return activations.apply(layer.activation, pre_activation(layer, arrays, x))


def _gate(x: np.ndarray, other: np.ndarray) -> np.ndarray:
    """A product; one factor may have fewer axes, as a gate of (n, channels) has."""
    one, two = sorted((x, other), key=np.ndim)
    return one.reshape(len(one), *[1] * (two.ndim - one.ndim), *one.shape[1:]) * two


# what the kernel of a layer gives: layer, kernel, (n, *shape) -> (n, *output_shape)
KERNELS: dict[type[Layer], Callable[[Any, np.ndarray, np.ndarray], np.ndarray]] = {
    Conv: _convolve,
    Dense: _multiply,
}
# the rows of the matrix that a kernel multiplies: (n, *shape), layer -> (n, ..., kernel rows)
KERNEL_INPUTS: dict[type[Layer], Callable[[np.ndarray, Any], np.ndarray]] = {
    Conv: patches,
    Dense: lambda x, layer: x,
}
# what a layer gives: layer, arrays, (n, *shape) -> (n, *output_shape)
LAYERS: dict[type[Layer], Callable[[Any, Arrays, np.ndarray], np.ndarray]] = {
    Conv: _apply_kernel,
    Dense: _apply_kernel,
    Pool: _pool,
    GlobalPool: _pool_globally,
    BatchNorm: _normalize,
    Activation: _activate,
    Rescaling: _rescale,
    Flatten: _flatten,
    Reshape: _reshape,
    Dropout: _keep,
    Regularization: _keep,
}
# what a layer with several inputs gives
JOINS: dict[type[Layer], Callable[[list[np.ndarray]], np.ndarray]] = {
    Add: functools.partial(functools.reduce, np.add),
    Multiply: functools.partial(functools.reduce, _gate),
    Concatenate: functools.partial(np.concatenate, axis=-1),
}


# --- networks -------------------------------------------------------------------------------------


def pre_activation(layer: KernelLayer, arrays: Arrays, x: np.ndarray) -> np.ndarray:
    """What a layer with a kernel gives before its activation, for a batch (n, *shape)."""
    kernel, *bias = (array.astype(x.dtype, copy=False) for array in arrays)
    x = KERNELS[type(layer)](layer, kernel, x)
    return x + bias[0] if bias else x


def apply(layer: Layer, arrays: Arrays, x: np.ndarray) -> np.ndarray:
    """The output of one layer for a batch (n, *shape).

    Raises:
        ValueError: numpy inference does not support the layer or its activation.
    """
    if type(layer) not in LAYERS:
        raise ValueError(f"numpy inference does not support the layer {layer}")
    return LAYERS[type(layer)](layer, arrays, x)


def join(layer: Join, inputs: list[np.ndarray]) -> np.ndarray:
    """The output of a layer for several batches.

    Raises:
        ValueError: numpy inference does not support the layer.
    """
    if type(layer) not in JOINS:
        raise ValueError(f"numpy inference does not support the layer {layer}")
    return JOINS[type(layer)](inputs)


def precision(x: np.ndarray) -> np.dtype:
    """The data type to compute in for a batch x: its own, or double precision for integers."""
    return x.dtype if np.issubdtype(x.dtype, np.floating) else np.dtype(np.float64)


def chunks(count: int) -> Iterator[slice]:
    """Parts of a batch, so that intermediate values are never in memory for all of it."""
    return (slice(start, min(start + CHUNK, count)) for start in range(0, count, CHUNK))


Values = Mapping[int, np.ndarray]  # the outputs of some layers by position, for one batch


def live(topology: Topology, position: int) -> list[int]:
    """Positions of the layers before `position` whose outputs it or a later one takes."""
    steps = topology.steps[position:]
    return sorted({i for step in steps for i in step.inputs if i < position})


def run_layers(network: Network, values: Values, start: int, stop: int) -> dict[int, np.ndarray]:
    """Run the layers from `start` to before `stop`.

    Args:
        network: the network.
        values: the outputs that the layers from `start` on take from earlier ones; at `INPUT` the
            network's input.
        start: position of the first layer to run.
        stop: position of the first layer not to run.

    Returns:
        The outputs that the layers from `stop` on take, or that of the last layer.
    """
    topology, present = network.topology, dict(values)
    last_reader = {i: max(topology.readers[i], default=stop) for i in range(stop)}
    for position in range(start, stop):
        step = topology.steps[position]
        inputs = [present[i] for i in step.inputs]
        for i in step.inputs:
            if i != INPUT and last_reader[i] == position:
                present.pop(i, None)
        if isinstance(step.layer, Join):
            present[position] = join(step.layer, inputs)
        else:
            present[position] = apply(step.layer, network.weights[position], inputs[0])
    return present


def as_input(x: np.ndarray) -> dict[int, np.ndarray]:
    """A batch (n, *input_shape) as what the first layers take."""
    return {INPUT: x.astype(precision(x), copy=False)}


def layer_input(network: Network, position: int, x: np.ndarray) -> np.ndarray:
    """The input of the layer at `position` for a batch x of shape (n, *input_shape)."""
    topology = network.topology
    entering = np.empty((len(x), *topology.input_shapes[position]), precision(x))
    source = topology.steps[position].inputs[0]
    for part in chunks(len(x)):
        entering[part] = run_layers(network, as_input(x[part]), 0, position)[source]
    return entering


def predict(network: Network, x: np.ndarray) -> np.ndarray:
    """The network's output for a batch x of shape (n, *input_shape), in the precision of x.

    Raises:
        ValueError: numpy inference does not support a layer or an activation.
    """
    last = len(network.weights)
    return run_layers(network, as_input(x), 0, last)[last - 1]
