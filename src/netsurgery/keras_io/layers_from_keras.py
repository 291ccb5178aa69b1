"""Keras layers as layers that surgery knows: one function for each class."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from netsurgery.keras_io import kept_layers
from netsurgery.keras_io.kept_layers import output_shape
from netsurgery.keras_io.layer_classes import (
    CONVOLUTIONS,
    CROPPINGS,
    GLOBAL_POOLS,
    KERNEL_REGULARIZERS,
    LAST,
    PADDINGS,
    POOLS,
)
from netsurgery.networks.activations import ACTIVATIONS
from netsurgery.networks.layers import (
    Activation,
    BatchNorm,
    ClippedReLU,
    Conv,
    Cropping,
    Dense,
    DepthwiseConv,
    Dropout,
    Flatten,
    GlobalPool,
    Layer,
    LayerNorm,
    OnePixel,
    Pool,
    PReLU,
    Rescaling,
    Reshape,
    SeparableConv,
    Shape,
    ZeroPadding,
)
from netsurgery.networks.layers.windows import as_sides, described
from netsurgery.networks.penalties import NONE as NO_PENALTY
from netsurgery.networks.penalties import Penalty, penalty_of, with_penalty


def _function(activation: Any) -> str | None:
    """The name of an activation that surgery knows; None for any other."""
    name = getattr(activation, "__name__", None)
    return name if name in ACTIVATIONS and keras.activations.get(name) is activation else None


def _unknown(activation: Any) -> str:
    return f"its activation {getattr(activation, '__name__', type(activation).__name__)}"


def _from_conv(layer: Any, shape: Shape) -> Layer | str:
    function = _function(layer.activation)
    if function is None:
        return _unknown(layer.activation)
    if layer.groups != 1:
        return f"its {layer.groups} groups"
    return Conv(
        layer.filters,
        as_sides(layer.kernel_size),
        function,
        layer.use_bias,
        as_sides(layer.strides),
        layer.padding,
        as_sides(layer.dilation_rate),
    )


def _from_depthwise(layer: Any, shape: Shape) -> Layer | str:
    function = _function(layer.activation)
    if function is None:
        return _unknown(layer.activation)
    kernel, strides, dilation = map(
        as_sides, (layer.kernel_size, layer.strides, layer.dilation_rate)
    )
    if layer.depth_multiplier != 1:
        return f"its depth_multiplier of {layer.depth_multiplier}"
    if not isinstance(strides, int):
        return f"its strides of {described(strides)}, which differ"
    if strides != 1 and dilation != 1:
        return "its strides together with a dilation"
    settings = (kernel, function, layer.use_bias, strides, layer.padding, dilation)
    filters = getattr(layer, "filters", None)  # of a separable one
    return DepthwiseConv(*settings) if filters is None else SeparableConv(filters, *settings)


def _from_dense(layer: keras.layers.Dense, shape: Shape) -> Layer | str:
    function = _function(layer.activation)
    if function is None:
        return _unknown(layer.activation)
    if len(shape) != 1:
        return f"its input of {len(shape)} axes (a flatten layer before it makes one of them)"
    return Dense(layer.units, function, layer.use_bias)


def _from_pool(function: str) -> Callable[[Any, Shape], Layer | str]:
    def convert(layer: Any, shape: Shape) -> Layer | str:
        size, strides = as_sides(layer.pool_size), as_sides(layer.strides)
        return Pool(function, size, None if strides == size else strides, layer.padding)

    return convert


def _from_global_pool(function: str) -> Callable[[Any, Shape], Layer | str]:
    return lambda layer, shape: GlobalPool(function, bool(layer.keepdims))


def _from_batch_norm(layer: keras.layers.BatchNormalization, shape: Shape) -> Layer | str:
    if layer.axis in (-1, len(shape)):
        return BatchNorm(layer.epsilon, layer.momentum, layer.scale, layer.center)
    return f"its axis {layer.axis}, which is not the last one"


def _from_activation(layer: keras.layers.Activation, shape: Shape) -> Layer | str:
    function = _function(layer.activation)
    return Activation(function) if function else _unknown(layer.activation)


def _from_relu(layer: keras.layers.ReLU, shape: Shape) -> Layer | str:
    limit = None if layer.max_value is None else float(layer.max_value)
    slope, threshold = float(layer.negative_slope), float(layer.threshold)
    function = {(None, 0.0, 0.0): "relu", (6.0, 0.0, 0.0): "relu6"}.get((limit, slope, threshold))
    return Activation(function) if function else ClippedReLU(limit, slope, threshold)


def _from_layer_norm(layer: keras.layers.LayerNormalization, shape: Shape) -> Layer | str:
    if layer.rms_scaling:
        return "its rms_scaling"
    if list(layer.axis) not in ([-1], [len(shape)]):
        return f"its axis {layer.axis}, which is not the last one alone"
    return LayerNorm(layer.epsilon, layer.scale, layer.center)


def _from_prelu(layer: keras.layers.PReLU, shape: Shape) -> Layer | str:
    by_channel = (tuple(layer.alpha.shape),) == PReLU().array_shapes(shape)
    return PReLU() if by_channel else "its slopes, which are not shared by all pixels"


def _from_reshape(layer: keras.layers.Reshape, shape: Shape) -> Layer | str:
    target = output_shape(layer, shape)
    flat = 1 in (len(shape), len(target))
    if flat and target[-1:] == shape[-1:] and math.prod(target) == target[-1]:
        return OnePixel(len(target) - 1)
    return Reshape(target)


def _margins(value: Any) -> tuple[tuple[int, int], ...]:
    """Keras's padding or cropping: a pair for a series, a pair for each side of an image."""
    return tuple(value) if isinstance(value[0], tuple | list) else (tuple(value),)


def _from_dropout(layer: keras.layers.Dropout, shape: Shape) -> Layer | str:
    batch, *sides = layer.noise_shape or (None, *[None] * len(shape))
    if batch is not None or any(size not in (None, 1) for size in sides):
        return f"its noise_shape {layer.noise_shape}"
    return Dropout(layer.rate, tuple(i for i, size in enumerate(sides, start=1) if size == 1))


def _from_spatial_dropout(layer: Any, shape: Shape) -> Layer | str:
    return Dropout(layer.rate, tuple(range(1, len(shape))))


def _from_rescaling(layer: keras.layers.Rescaling, shape: Shape) -> Layer | str:
    if np.ndim(layer.scale) == np.ndim(layer.offset) == 0:
        return Rescaling(float(layer.scale), float(layer.offset))
    return "its scale or offset, which is an array"


L1_AND_L2 = (keras.regularizers.L1, keras.regularizers.L2, keras.regularizers.L1L2)
# a text names the setting that is unsupported
FROM_KERAS: dict[type[keras.Layer], Callable[[Any, Shape], Layer | str]] = {
    **dict.fromkeys(CONVOLUTIONS[Conv], _from_conv),
    **dict.fromkeys(CONVOLUTIONS[DepthwiseConv], _from_depthwise),
    **dict.fromkeys(CONVOLUTIONS[SeparableConv], _from_depthwise),
    keras.layers.Dense: _from_dense,
    **{kind: _from_pool(name) for name, kinds in POOLS.items() for kind in kinds},
    **{kind: _from_global_pool(name) for name, kinds in GLOBAL_POOLS.items() for kind in kinds},
    keras.layers.BatchNormalization: _from_batch_norm,
    keras.layers.Activation: _from_activation,
    keras.layers.LeakyReLU: lambda layer, shape: Activation(
        "leaky_relu", float(layer.negative_slope)
    ),
    keras.layers.ReLU: _from_relu,
    keras.layers.ELU: lambda layer, shape: Activation("elu", alpha=float(layer.alpha)),
    keras.layers.PReLU: _from_prelu,
    keras.layers.LayerNormalization: _from_layer_norm,
    keras.layers.Softmax: lambda layer, shape: (
        Activation("softmax") if layer.axis == -1 else f"its axis {layer.axis}"
    ),
    keras.layers.Dropout: _from_dropout,
    keras.layers.SpatialDropout1D: _from_spatial_dropout,
    keras.layers.SpatialDropout2D: _from_spatial_dropout,
    **dict.fromkeys(PADDINGS, lambda layer, shape: ZeroPadding(_margins(layer.padding))),
    **dict.fromkeys(CROPPINGS, lambda layer, shape: Cropping(_margins(layer.cropping))),
    keras.layers.Flatten: lambda layer, shape: Flatten(),
    keras.layers.Reshape: _from_reshape,
    keras.layers.Rescaling: _from_rescaling,
}


def _penalty(keras_layer: keras.layers.Layer, layer: Layer) -> Penalty:
    """The L1 and L2 factors of a layer's kernels; zero for regularizers of another class."""
    names = KERNEL_REGULARIZERS.get(type(layer), ())
    found = {_factors(getattr(keras_layer, name)) for name in names}
    return found.pop() if len(found) == 1 else NO_PENALTY


def _factors(regularizer: Any) -> Penalty:
    if type(regularizer) not in L1_AND_L2:
        return NO_PENALTY
    config = regularizer.get_config()  # of numbers in float32
    l1, l2 = (float(f"{float(config.get(name) or 0.0):.7g}") for name in ("l1", "l2"))
    return l1, l2


def leaves_out(keras_layer: keras.layers.Layer, layer: Layer) -> bool:
    """Whether a layer that surgery knows has a regularizer besides L1 and L2 of its kernels."""
    held = vars(keras_layer).items()
    given = {name for name, value in held if name.endswith("_regularizer") and value}
    kept = KERNEL_REGULARIZERS.get(type(layer), ()) if penalty_of(layer) != NO_PENALTY else ()
    return not given <= set(kept)


def _accepts(layer: Layer, shape: Shape) -> bool:
    try:
        return bool(layer.output_shape(shape))
    except ValueError:
        return False


def _known_layer(layer: keras.Layer, shape: Shape, *, masked: bool) -> Layer | str:
    """The layer as surgery knows it; the unsupported setting, empty if the class is unknown."""
    kind = next((kind for kind in type(layer).__mro__ if kind in FROM_KERAS), None)
    # a subclass from elsewhere may compute anything
    is_kerass = type(layer).__module__.partition(".")[0] == "keras"
    if kind is None or not is_kerass or type(layer) in kept_layers.REGULARIZATION:
        return ""
    if (order := getattr(layer, "data_format", LAST["data_format"])) != LAST["data_format"]:
        return f"its data_format {order}"
    if masked and "mask" in inspect.signature(layer.call).parameters:
        return "the mask of its input"
    if None in shape:
        return "its input, which has no fixed size"
    known = FROM_KERAS[kind](layer, shape)
    if isinstance(known, str):
        return known
    known = with_penalty(known, _penalty(layer, known))
    if not _accepts(known, shape):
        return f"its input of {len(shape)} axes"
    held = layer.weights
    if tuple(tuple(variable.shape) for variable in held) != known.array_shapes(shape):
        return "its additional arrays (LoRA, quantization)"
    trained = [variable.trainable for variable in held[: known.trainable_arrays]]
    if layer.trainable and not all(trained):
        return "arrays of it that are frozen one by one"
    return known


def from_keras_layer(
    layer: keras.Layer, shape: Shape, leaving: Shape | None = None, *, masked: bool = False
) -> Layer:
    """The layer that a built Keras layer is, for an input of `shape`.

    Layers that surgery does not know, or that hold additional arrays, become `Other`.

    Args:
        layer: called with nothing but its input.
        shape: of the input.
        leaving: shape of the output; by default Keras computes it.
        masked: whether the input has a mask.
    """
    known = _known_layer(layer, shape, masked=masked)
    if not isinstance(known, str):
        return known
    return kept_layers.from_keras(layer, shape, known, leaving)
