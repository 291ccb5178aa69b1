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
    ClippedReLU,
    Concatenate,
    Conv,
    Cropping,
    Dense,
    DepthwiseConv,
    Dropout,
    Flatten,
    GlobalPool,
    InputPart,
    Join,
    KernelLayer,
    Layer,
    LayerNorm,
    Multiply,
    OnePixel,
    Pool,
    PReLU,
    Regularization,
    Rescaling,
    Reshape,
    SeparableConv,
    Windowed,
    ZeroPadding,
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


def _convolve(layer: Conv, arrays: Arrays, x: np.ndarray) -> np.ndarray:
    kernel = arrays[0]
    matrix = kernel.reshape(-1, kernel.shape[-1])
    return np.concatenate([patches(x[part], layer) @ matrix for part in chunks(len(x))])


def _multiply(layer: Dense, arrays: Arrays, x: np.ndarray) -> np.ndarray:
    return x @ arrays[0]


def _convolve_channels(layer: DepthwiseConv, arrays: Arrays, x: np.ndarray) -> np.ndarray:
    """Each channel with its kernel, before bias and activation."""
    taps = np.moveaxis(arrays[0][..., 0].astype(x.dtype, copy=False), -1, 0)  # channels first
    window = list(range(x.ndim, x.ndim + taps.ndim - 1))
    channels = x.ndim - 1
    axes = list(range(x.ndim))
    parts = (windows(x[part], layer) for part in chunks(len(x)))
    return np.concatenate(
        [np.einsum(part, [*axes, *window], taps, [channels, *window], axes) for part in parts]
    )


def _convolve_apart(layer: DepthwiseConv, arrays: Arrays, x: np.ndarray) -> np.ndarray:
    x = _convolve_channels(layer, arrays, x)
    if layer.use_bias:
        x = x + arrays[-1].astype(x.dtype, copy=False)
    return activations.apply(layer.activation, x)


def _mix_convolved(layer: SeparableConv, arrays: Arrays, x: np.ndarray) -> np.ndarray:
    kernel = arrays[layer.mixing]
    return mixed_input(layer, arrays, x) @ kernel.reshape(kernel.shape[-2:])


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


def _normalize_channels(layer: LayerNorm, arrays: Arrays, x: np.ndarray) -> np.ndarray:
    gamma = arrays[0].astype(x.dtype) if layer.scale else np.ones((), x.dtype)
    beta = arrays[-1].astype(x.dtype) if layer.center else np.zeros((), x.dtype)
    centred = x - x.mean(axis=-1, keepdims=True)
    variance = np.square(centred).mean(axis=-1, keepdims=True)
    return centred / np.sqrt(variance + np.asarray(layer.epsilon, x.dtype)) * gamma + beta


def _activate(layer: Activation, arrays: Arrays, x: np.ndarray) -> np.ndarray:
    if layer.function == "elu" and layer.alpha != 1:
        return np.where(x > 0, x, np.asarray(layer.alpha, x.dtype) * activations.apply("elu", x))
    return activations.apply(layer.function, x, layer.negative_slope)


def _rectify(layer: ClippedReLU, arrays: Arrays, x: np.ndarray) -> np.ndarray:
    threshold, slope = (np.asarray(v, x.dtype) for v in (layer.threshold, layer.negative_slope))
    above = np.where(x > threshold, x, np.zeros((), x.dtype))
    if layer.max_value is not None:
        above = np.clip(above, 0, np.asarray(layer.max_value, x.dtype))
    return above - slope * np.maximum(threshold - x, 0)


def _rectify_by_channel(layer: PReLU, arrays: Arrays, x: np.ndarray) -> np.ndarray:
    return np.where(x > 0, x, arrays[0].astype(x.dtype, copy=False) * x)


def _pad(layer: ZeroPadding, arrays: Arrays, x: np.ndarray) -> np.ndarray:
    return np.pad(x, ((0, 0), *layer.margins, (0, 0)))


def _crop(layer: Cropping, arrays: Arrays, x: np.ndarray) -> np.ndarray:
    sides = zip(x.shape[1:], layer.margins, strict=False)
    return x[(slice(None), *(slice(before, side - after) for side, (before, after) in sides))]


def _to_one_pixel(layer: OnePixel, arrays: Arrays, x: np.ndarray) -> np.ndarray:
    return x.reshape(len(x), *layer.output_shape(x.shape[1:]))


def _rescale(layer: Rescaling, arrays: Arrays, x: np.ndarray) -> np.ndarray:
    return x * np.asarray(layer.scale, x.dtype) + np.asarray(layer.offset, x.dtype)


def _part(layer: InputPart, arrays: Arrays, x: np.ndarray) -> np.ndarray:
    return x[:, layer.start : layer.stop].reshape(len(x), *layer.shape)


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


# what the kernels of a layer give: layer, arrays, (n, *shape) -> (n, *output_shape)
KERNELS: dict[type[Layer], Callable[[Any, Arrays, np.ndarray], np.ndarray]] = {
    Conv: _convolve,
    Dense: _multiply,
    SeparableConv: _mix_convolved,
}
# the rows of the matrix that the mixing kernel multiplies: layer, arrays, (n, *shape)
KERNEL_INPUTS: dict[type[Layer], Callable[[Any, Arrays, np.ndarray], np.ndarray]] = {
    Conv: lambda layer, arrays, x: patches(x, layer),
    Dense: lambda layer, arrays, x: x,
    SeparableConv: lambda layer, arrays, x: mixed_input(layer, arrays, x),
}
# what a layer gives: layer, arrays, (n, *shape) -> (n, *output_shape)
LAYERS: dict[type[Layer], Callable[[Any, Arrays, np.ndarray], np.ndarray]] = {
    Conv: _apply_kernel,
    Dense: _apply_kernel,
    SeparableConv: _apply_kernel,
    DepthwiseConv: _convolve_apart,
    Pool: _pool,
    GlobalPool: _pool_globally,
    BatchNorm: _normalize,
    LayerNorm: _normalize_channels,
    Activation: _activate,
    ClippedReLU: _rectify,
    PReLU: _rectify_by_channel,
    ZeroPadding: _pad,
    Cropping: _crop,
    OnePixel: _to_one_pixel,
    Rescaling: _rescale,
    InputPart: _part,
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
# what a layer that surgery keeps as it is gives: layer, arrays, batches; without Keras nothing is
# known of them, so `netsurgery.keras_io.kept_calls` adds them
KEPT: dict[type[Layer], Callable[[Any, Arrays, list[np.ndarray]], np.ndarray]] = {}


# --- networks -------------------------------------------------------------------------------------


def pre_activation(layer: KernelLayer, arrays: Arrays, x: np.ndarray) -> np.ndarray:
    """What a layer with a kernel gives before its activation, for a batch (n, *shape)."""
    arrays = tuple(array.astype(x.dtype, copy=False) for array in arrays)
    x = KERNELS[type(layer)](layer, arrays, x)
    return x + arrays[-1] if layer.use_bias else x


def mixed_input(layer: KernelLayer, arrays: Arrays, x: np.ndarray) -> np.ndarray:
    """What the mixing kernel of a layer takes, of as many channels or units as x (n, *shape)."""
    if isinstance(layer, SeparableConv):
        return _convolve_channels(layer.depthwise, arrays, x)
    return x


def apply(layer: Layer, arrays: Arrays, x: np.ndarray) -> np.ndarray:
    """The output of one layer for a batch (n, *shape).

    Raises:
        ValueError: numpy inference does not support the layer or its activation.
    """
    if type(layer) in KEPT and type(layer) not in LAYERS:
        return KEPT[type(layer)](layer, arrays, [x])
    if type(layer) not in LAYERS:
        raise ValueError(f"numpy inference does not support the layer {layer}")
    return LAYERS[type(layer)](layer, arrays, x)


def join(layer: Join, arrays: Arrays, inputs: list[np.ndarray]) -> np.ndarray:
    """The output of a layer for several batches.

    Raises:
        ValueError: numpy inference does not support the layer.
    """
    if type(layer) in KEPT:
        return KEPT[type(layer)](layer, arrays, inputs)
    if type(layer) not in JOINS:
        raise ValueError(f"numpy inference does not support the layer {layer}")
    return JOINS[type(layer)](inputs)


def of_constant(layer: Layer, arrays: Arrays, values: np.ndarray) -> np.ndarray:
    """What a layer that keeps channels apart gives where each channel is the same everywhere.

    Args:
        layer: the layer.
        arrays: its arrays.
        values: (channels,), or (features,) behind a flatten layer.
    """
    if isinstance(layer, DepthwiseConv):  # away from the margins
        kernel = arrays[0].astype(values.dtype)
        values = values * kernel.reshape(-1, kernel.shape[-2]).sum(axis=0)
        bias = arrays[-1].astype(values.dtype) if layer.use_bias else 0
        return activations.apply(layer.activation, values + bias)
    if isinstance(layer, PReLU):
        return _rectify_by_channel(layer, (arrays[0].reshape(-1),), values)
    return apply(layer, arrays, values) if layer.is_elementwise else values


def mixed_constant(layer: KernelLayer, arrays: Arrays, values: np.ndarray) -> np.ndarray:
    """What the mixing kernel takes where each channel (channels,) is the same everywhere."""
    if isinstance(layer, SeparableConv):
        return of_constant(layer.depthwise, arrays, values)
    return values


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
            present[position] = join(step.layer, network.weights[position], inputs)
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
