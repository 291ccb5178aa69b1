"""Typed layers as values: what each one is, the shape it makes and the arrays it holds.

Shapes leave out the batch axis: an image is (height, width, channels), a table row (features,).
Everything here is immutable and free of TensorFlow.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar, get_args

Shape = tuple[int, ...]

SAME, VALID = "same", "valid"
POOLINGS = ("average", "max")


@dataclass(frozen=True)
class Rescaling:
    """Preprocessing: scale times the value, plus offset; no arrays."""

    scale: float
    offset: float = 0.0
    kind: ClassVar[str] = "rescaling"

    def __str__(self) -> str:
        return f"rescaling by {self.scale:.4g}"


@dataclass(frozen=True)
class Reshape:
    """The same values in another shape; no arrays."""

    shape: Shape
    kind: ClassVar[str] = "reshape"

    def __post_init__(self) -> None:
        object.__setattr__(self, "shape", tuple(self.shape))  # JSON knows lists only

    def __str__(self) -> str:
        return f"reshape to {'x'.join(map(str, self.shape))}"


@dataclass(frozen=True)
class Conv:
    """A convolution with a square kernel; arrays: kernel (k, k, in, out) and bias."""

    channels: int
    kernel: int = 3
    activation: str = "linear"
    use_bias: bool = True
    strides: int = 1
    padding: str = SAME
    kind: ClassVar[str] = "conv"

    def __str__(self) -> str:
        return f"conv {self.channels} ({self.kernel}x{self.kernel})"


@dataclass(frozen=True)
class Pool:
    """Pooling over squares of size x size, by default side by side; no arrays."""

    function: str = "average"  # or "max"
    size: int = 2
    strides: int | None = None  # None: the size
    padding: str = SAME
    kind: ClassVar[str] = "pool"

    def __str__(self) -> str:
        return f"{self.function} pool {self.size}x{self.size}"


@dataclass(frozen=True)
class GlobalPool:
    """Pooling over the whole image: (height, width, channels) to (channels,); no arrays."""

    function: str = "average"  # or "max"
    kind: ClassVar[str] = "global_pool"

    def __str__(self) -> str:
        return f"global {self.function} pool"


@dataclass(frozen=True)
class BatchNorm:
    """Batch normalisation over the last axis; arrays: gamma, beta, moving mean, moving variance.

    Without `scale` there is no gamma, without `center` no beta.
    """

    epsilon: float = 1e-3
    momentum: float = 0.99
    scale: bool = True
    center: bool = True
    kind: ClassVar[str] = "batch_norm"

    def __str__(self) -> str:
        return "batch norm"


@dataclass(frozen=True)
class Activation:
    """An activation as a layer of its own, as in conv cells; no arrays."""

    function: str = "relu"
    negative_slope: float = 0.2  # of leaky_relu; Keras's default for the function of that name
    kind: ClassVar[str] = "activation"

    def __str__(self) -> str:
        return self.function


@dataclass(frozen=True)
class Dropout:
    """Drops a part of the values while training, and does nothing else; no arrays."""

    rate: float
    kind: ClassVar[str] = "dropout"

    def __str__(self) -> str:
        return f"dropout {self.rate:g}"


@dataclass(frozen=True)
class Flatten:
    """(height, width, channels) to (height * width * channels,); no arrays."""

    kind: ClassVar[str] = "flatten"

    def __str__(self) -> str:
        return "flatten"


@dataclass(frozen=True)
class Dense:
    """A fully connected layer; arrays: kernel (in, units) and bias."""

    units: int
    activation: str = "relu"
    use_bias: bool = True
    kind: ClassVar[str] = "dense"

    def __str__(self) -> str:
        return f"dense {self.units} ({self.activation})"


@dataclass(frozen=True)
class Other:
    """Any other Keras layer: kept as it is, so that what enters it must keep its shape.

    `trainable` counts the first of its arrays, which are the trainable ones.
    """

    name: str  # the Keras class
    config: str  # JSON, as Keras serialises the layer
    entering: Shape
    leaving: Shape
    arrays: tuple[Shape, ...] = ()
    trainable: int = 0
    kind: ClassVar[str] = "other"

    def __post_init__(self) -> None:
        for name in ("entering", "leaving"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        object.__setattr__(self, "arrays", tuple(map(tuple, self.arrays)))

    def __str__(self) -> str:
        return self.name


Layer = (
    Rescaling
    | Reshape
    | Conv
    | Pool
    | GlobalPool
    | BatchNorm
    | Activation
    | Dropout
    | Flatten
    | Dense
    | Other
)
LAYERS: dict[str, type] = {layer.kind: layer for layer in get_args(Layer)}
Kernel = Conv | Dense  # the layers that mix what enters them
ELEMENTWISE = (BatchNorm, Activation, Dropout)  # treat every channel or unit on its own, in place


def layer_to_json(layer: Layer) -> dict[str, Any]:
    """The layer as plain values: its kind, and of its settings those that are not the default."""
    defaults = {field.name: field.default for field in fields(layer)}
    settings = {k: v for k, v in asdict(layer).items() if v != defaults[k]}
    return {"kind": layer.kind, **settings}


def layer_from_json(spec: Mapping[str, Any]) -> Layer:
    """The layer that `layer_to_json` wrote."""
    settings = dict(spec)
    return LAYERS[settings.pop("kind")](**settings)


def conv_cell(channels: int, *, pooling: str = "average", activation: str = "relu") -> list[Layer]:
    """The layers of one conv cell (ECToNAS section 3.2): always added or removed as a whole."""
    return [Conv(channels), Pool(pooling), BatchNorm(), Activation(activation)]


CELL_LENGTH = len(conv_cell(1))


def _side(length: int, size: int, strides: int, padding: str) -> int:
    """What a window of `size` that moves by `strides` makes of an image's side."""
    if padding == SAME:
        return math.ceil(length / strides)
    return (length - size) // strides + 1


def output_shape(layer: Layer, shape: Shape) -> Shape:
    """The shape a layer makes of an input of `shape`.

    Raises:
        ValueError: the layer cannot take such an input.
    """
    if isinstance(layer, Conv | Pool | GlobalPool) and len(shape) != 3:
        raise ValueError(f"{layer} needs an input of height, width and channels, not {shape}")
    if isinstance(layer, Dense) and len(shape) != 1:
        raise ValueError(f"{layer} needs a flat input, not {shape}: put a flatten layer before it")
    match layer:
        case Conv() | Pool():
            size = layer.kernel if isinstance(layer, Conv) else layer.size
            strides = layer.strides or size
            sides = tuple(_side(length, size, strides, layer.padding) for length in shape[:2])
            if min(sides) < 1:
                raise ValueError(f"{layer} is larger than its input of {shape[0]}x{shape[1]}")
            return (*sides, layer.channels if isinstance(layer, Conv) else shape[2])
        case GlobalPool():
            return shape[-1:]
        case Flatten():
            return (math.prod(shape),)
        case Dense():
            return (layer.units,)
        case Reshape():
            if math.prod(shape) != math.prod(layer.shape):
                raise ValueError(f"{layer} cannot take an input of {shape}")
            return layer.shape
        case Other():
            if shape != layer.entering:
                raise ValueError(
                    f"{layer} is kept as it is and needs an input of {layer.entering}, not {shape}"
                )
            return layer.leaving
        case _:
            return shape


def array_shapes(layer: Layer, shape: Shape) -> tuple[Shape, ...]:
    """The shapes of a layer's arrays for an input of `shape`, the trainable ones first."""
    match layer:
        case Conv():
            kernel: Shape = (layer.kernel, layer.kernel, shape[-1], layer.channels)
        case Dense():
            kernel = (shape[-1], layer.units)
        case BatchNorm():
            return ((shape[-1],),) * (2 + layer.scale + layer.center)
        case Other():
            return layer.arrays
        case _:
            return ()
    return (kernel, (kernel[-1],)) if layer.use_bias else (kernel,)


def trainable_arrays(layer: Layer) -> int:
    """How many of a layer's arrays are trained; they stand before the others."""
    match layer:
        case Conv() | Dense():
            return 1 + layer.use_bias
        case BatchNorm():
            return layer.scale + layer.center
        case Other():
            return layer.trainable
        case _:
            return 0
