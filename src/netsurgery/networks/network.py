"""A network as a value: layers in a row, and numpy arrays.

Everything here is immutable and free of TensorFlow. ``netsurgery.keras_io.conversion`` turns a
network into a Keras model and back; ``netsurgery.surgery`` turns one network into another.

Positions are indices into ``Topology.layers``, which are those of Keras's ``model.layers``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from types import UnionType
from typing import Any

import numpy as np

from netsurgery.networks.layers import (
    ELEMENTWISE,
    BatchNorm,
    Flatten,
    GlobalPool,
    Kernel,
    Layer,
    Pool,
    Shape,
    array_shapes,
    layer_from_json,
    layer_to_json,
    output_shape,
    trainable_arrays,
)

Arrays = tuple[np.ndarray, ...]


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
            for shape in shapes[: trainable_arrays(layer)]
        )

    def positions(self, kind: type | UnionType) -> list[int]:
        """Where the layers of a kind stand."""
        return [i for i, layer in enumerate(self.layers) if isinstance(layer, kind)]

    def consumer(self, position: int) -> int | None:
        """The next layer with a kernel, if that reads the channels or units of this one.

        None behind the output layer, and where a layer stands between that mixes them.
        """
        for i in range(position + 1, len(self.layers)):
            if isinstance(self.layers[i], Kernel):
                return i
            if not isinstance(self.layers[i], (*ELEMENTWISE, Pool, GlobalPool, Flatten)):
                return None
        return None

    def unfolded(self, consumer: int) -> Shape:
        """The shape of what the layer at `consumer` reads, before any flatten layer."""
        for before in reversed(range(consumer)):
            if not isinstance(self.layers[before], (*ELEMENTWISE, Flatten)):
                break
            if len(self.shapes[before]) > 1:
                return self.shapes[before]
        return self.shapes[consumer]

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
            # gamma, beta, moving mean, moving variance
            values = (*[1] * layer.scale, *[0] * layer.center, 0, 1)
            weights.append(
                tuple(np.full(s, v, np.float32) for s, v in zip(shapes, values, strict=True))
            )
        else:
            weights.append(
                tuple(kernel(s) if len(s) > 1 else np.zeros(s, np.float32) for s in shapes)
            )
    return Network(topology, tuple(weights))
