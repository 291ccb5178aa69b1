"""A network as a value: typed layers, their shapes, and numpy arrays.

Everything here is immutable and free of TensorFlow. ``netsurgery.keras_files`` turns a network into
a Keras model and back; ``netsurgery.surgery`` turns one network into another.

Shapes leave out the batch axis: an image is (height, width, channels), a table row (features,).
Positions are indices into ``Topology.layers``, which are those of Keras's ``model.layers``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

Shape = tuple[int, ...]
Arrays = tuple[np.ndarray, ...]


@dataclass(frozen=True)
class Conv:
    """A convolution with stride 1 and `same` padding; arrays: kernel (k, k, in, out) and bias."""

    channels: int
    kernel: int = 3
    activation: str = "linear"
    use_bias: bool = True
    kind: ClassVar[str] = "conv"

    def __str__(self) -> str:
        return f"conv {self.channels} ({self.kernel}x{self.kernel})"


@dataclass(frozen=True)
class Pool:
    """Pooling over blocks of size x size with that stride and `same` padding; no arrays."""

    function: str = "average"  # or "max"
    size: int = 2
    kind: ClassVar[str] = "pool"

    def __str__(self) -> str:
        return f"{self.function} pool {self.size}x{self.size}"


@dataclass(frozen=True)
class BatchNorm:
    """Batch normalisation over the channels; arrays: gamma, beta, moving mean, moving variance."""

    epsilon: float = 1e-3
    momentum: float = 0.99
    kind: ClassVar[str] = "batch_norm"

    def __str__(self) -> str:
        return "batch norm"


@dataclass(frozen=True)
class Activation:
    """An activation as a layer of its own, as in conv cells; no arrays."""

    function: str = "relu"
    kind: ClassVar[str] = "activation"

    def __str__(self) -> str:
        return self.function


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


Layer = Conv | Pool | BatchNorm | Activation | Flatten | Dense
LAYERS: dict[str, type] = {
    layer.kind: layer for layer in (Conv, Pool, BatchNorm, Activation, Flatten, Dense)
}


def layer_to_json(layer: Layer) -> dict[str, Any]:
    """The layer as plain values, its kind first."""
    return {"kind": layer.kind, **asdict(layer)}


def layer_from_json(spec: Mapping[str, Any]) -> Layer:
    """The layer that `layer_to_json` wrote."""
    fields = dict(spec)
    return LAYERS[fields.pop("kind")](**fields)


def conv_cell(channels: int, *, pooling: str = "average", activation: str = "relu") -> list[Layer]:
    """The layers of one conv cell (ECToNAS section 3.2): always added or removed as a whole."""
    return [Conv(channels), Pool(pooling), BatchNorm(), Activation(activation)]


CELL_LENGTH = len(conv_cell(1))


def output_shape(layer: Layer, shape: Shape) -> Shape:
    """The shape a layer makes of an input of `shape`.

    Raises:
        ValueError: the layer cannot take such an input.
    """
    if isinstance(layer, Conv | Pool) and len(shape) != 3:
        raise ValueError(f"{layer} needs an input of height, width and channels, not {shape}")
    if isinstance(layer, Dense) and len(shape) != 1:
        raise ValueError(f"{layer} needs a flat input, not {shape}: put a flatten layer before it")
    match layer:
        case Conv():
            return (*shape[:2], layer.channels)
        case Pool():
            return (math.ceil(shape[0] / layer.size), math.ceil(shape[1] / layer.size), shape[2])
        case Flatten():
            return (math.prod(shape),)
        case Dense():
            return (layer.units,)
        case _:
            return shape


def array_shapes(layer: Layer, shape: Shape) -> tuple[Shape, ...]:
    """The shapes of a layer's arrays for an input of `shape`."""
    match layer:
        case Conv():
            kernel: Shape = (layer.kernel, layer.kernel, shape[-1], layer.channels)
        case Dense():
            kernel = (shape[-1], layer.units)
        case BatchNorm():
            return ((shape[-1],),) * 4
        case _:
            return ()
    return (kernel, (kernel[-1],)) if layer.use_bias else (kernel,)


@dataclass(frozen=True)
class Topology:
    """The structure of a sequential network, without its arrays.

    Raises:
        ValueError: a layer cannot take what the one before it gives.
    """

    input_shape: Shape
    layers: tuple[Layer, ...]

    def __post_init__(self) -> None:
        self.shapes  # noqa: B018 - computing them is the check

    @cached_property
    def shapes(self) -> tuple[Shape, ...]:
        """Input shape of every layer, and last the output shape of the network."""
        shapes = [self.input_shape]
        for layer in self.layers:
            shapes.append(output_shape(layer, shapes[-1]))
        return tuple(shapes)

    @cached_property
    def array_shapes(self) -> tuple[tuple[Shape, ...], ...]:
        """Shapes of every layer's arrays."""
        return tuple(
            array_shapes(layer, shape)
            for layer, shape in zip(self.layers, self.shapes, strict=False)
        )

    @cached_property
    def parameters(self) -> int:
        """Trainable parameters, as the papers count: without batch normalisation's statistics."""
        return sum(
            math.prod(shape)
            for layer, shapes in zip(self.layers, self.array_shapes, strict=True)
            for shape in (shapes[:2] if isinstance(layer, BatchNorm) else shapes)
        )

    def positions(self, kind: type[Layer]) -> list[int]:
        """Where the layers of a kind stand."""
        return [i for i, layer in enumerate(self.layers) if isinstance(layer, kind)]

    def consumer(self, position: int) -> int:
        """The first layer behind `position` whose kernel reads that layer's output."""
        for i in range(position + 1, len(self.layers)):
            if isinstance(self.layers[i], Conv | Dense):
                return i
        raise ValueError(f"no layer behind position {position} has weights: it is the output layer")

    def replace(self, position: int, layer: Layer) -> Topology:
        """The topology with another layer at `position`."""
        return Topology(
            self.input_shape, (*self.layers[:position], layer, *self.layers[position + 1 :])
        )

    def insert(self, position: int, *layers: Layer) -> Topology:
        """The topology with layers put in before the one at `position`."""
        return Topology(
            self.input_shape, (*self.layers[:position], *layers, *self.layers[position:])
        )

    def remove(self, position: int, count: int = 1) -> Topology:
        """The topology without the `count` layers from `position` on."""
        return Topology(
            self.input_shape, (*self.layers[:position], *self.layers[position + count :])
        )

    def to_json(self) -> dict[str, Any]:
        """Plain values, for records."""
        return {
            "input_shape": list(self.input_shape),
            "layers": [layer_to_json(layer) for layer in self.layers],
        }

    @classmethod
    def from_json(cls, spec: Mapping[str, Any]) -> Topology:
        """What `to_json` wrote."""
        layers = tuple(layer_from_json(layer) for layer in spec["layers"])
        return cls(tuple(spec["input_shape"]), layers)


@dataclass(frozen=True, eq=False)
class Network:
    """A topology with its arrays: `weights[i]` belongs to `topology.layers[i]`.

    Raises:
        ValueError: an array has not the shape that the topology gives it.
    """

    topology: Topology
    weights: tuple[Arrays, ...]

    def __post_init__(self) -> None:
        for i, (arrays, shapes) in enumerate(
            zip(self.weights, self.topology.array_shapes, strict=True)
        ):
            found = tuple(array.shape for array in arrays)
            if found != shapes:
                layer = self.topology.layers[i]
                raise ValueError(
                    f"layer {i} ({layer}) needs arrays of shapes {shapes}, not {found}"
                )

    @property
    def finite(self) -> bool:
        """Whether no array holds a NaN or an infinity."""
        return all(np.isfinite(array).all() for arrays in self.weights for array in arrays)

    def with_arrays(self, changed: Mapping[int, Arrays]) -> Network:
        """The network with other arrays at some positions."""
        weights = tuple(changed.get(i, arrays) for i, arrays in enumerate(self.weights))
        return replace(self, weights=weights)


def initialise(topology: Topology, rng: np.random.Generator) -> Network:
    """A fresh network: Glorot-uniform kernels, zero biases, neutral batch normalisation."""

    def kernel(shape: Shape) -> np.ndarray:
        taps = math.prod(shape[:-2])
        limit = math.sqrt(6 / (taps * (shape[-2] + shape[-1])))
        return rng.uniform(-limit, limit, shape).astype(np.float32)

    weights: list[Arrays] = []
    for layer, shapes in zip(topology.layers, topology.array_shapes, strict=True):
        if isinstance(layer, BatchNorm):
            values = (1, 0, 0, 1)  # gamma, beta, moving mean, moving variance
            weights.append(
                tuple(np.full(s, v, np.float32) for s, v in zip(shapes, values, strict=True))
            )
        else:
            weights.append(
                tuple(kernel(s) if len(s) > 1 else np.zeros(s, np.float32) for s in shapes)
            )
    return Network(topology, tuple(weights))
