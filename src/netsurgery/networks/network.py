"""A network as a value: a sequence of layers, and numpy arrays.

Everything here is immutable and free of TensorFlow. `netsurgery.keras_io.conversion` converts a
network to a Keras model and back; `netsurgery.surgery` makes one network from another.

Positions are indices into `Topology.layers`, the same as into Keras's `model.layers`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from netsurgery.networks.layers import (
    Arrays,
    Flatten,
    KernelLayer,
    Layer,
    Shape,
    layer_from_json,
)


@dataclass(frozen=True)
class Topology:
    """The structure of a sequential network, without its arrays.

    Attributes:
        input_shape: of a sample.
        layers: from input to output.
        non_negative_input: whether samples are known to have no negative values.

    Raises:
        ValueError: a layer does not accept the output of the one before it.
    """

    input_shape: Shape
    layers: tuple[Layer, ...]
    non_negative_input: bool = False

    def __post_init__(self) -> None:
        self.shapes  # noqa: B018 - computing them is the check

    @cached_property
    def shapes(self) -> tuple[Shape, ...]:
        """Input shape of every layer, and last the output shape of the network."""
        shapes = [self.input_shape]
        for layer in self.layers:
            shapes.append(layer.output_shape(shapes[-1]))
        return tuple(shapes)

    @cached_property
    def array_shapes(self) -> tuple[tuple[Shape, ...], ...]:
        """Shapes of every layer's arrays."""
        return tuple(
            layer.array_shapes(shape)
            for layer, shape in zip(self.layers, self.shapes, strict=False)
        )

    @cached_property
    def parameters(self) -> int:
        """Trainable parameters, as the papers count: without batch normalization's statistics."""
        return sum(
            layer.parameters(shape) for layer, shape in zip(self.layers, self.shapes, strict=False)
        )

    def positions(self, kind: type[Layer]) -> list[int]:
        """Positions of the layers of a kind."""
        return [i for i, layer in enumerate(self.layers) if isinstance(layer, kind)]

    def consumer(self, position: int) -> int | None:
        """The next layer with a kernel, if it reads the channels or units of this one.

        None for the output layer, and if a layer in between mixes them.
        """
        for i in range(position + 1, len(self.layers)):
            if isinstance(self.layers[i], KernelLayer):
                return i
            if not self.layers[i].keeps_channels_apart:
                return None
        return None

    def shape_before_flatten(self, position: int) -> Shape:
        """The shape of the input of the layer at `position`, before any flatten layer."""
        for before in reversed(range(position)):
            layer = self.layers[before]
            if not (layer.is_elementwise or isinstance(layer, Flatten)):
                break
            if len(self.shapes[before]) > 1:
                return self.shapes[before]
        return self.shapes[position]

    def replace(self, position: int, layer: Layer) -> Topology:
        """The topology with another layer at `position`."""
        return self._with_layers(*self.layers[:position], layer, *self.layers[position + 1 :])

    def insert(self, position: int, *layers: Layer) -> Topology:
        """The topology with layers inserted before the one at `position`."""
        return self._with_layers(*self.layers[:position], *layers, *self.layers[position:])

    def remove(self, position: int, count: int = 1) -> Topology:
        """The topology without the `count` layers from `position` on."""
        return self._with_layers(*self.layers[:position], *self.layers[position + count :])

    def _with_layers(self, *layers: Layer) -> Topology:
        return Topology(self.input_shape, layers, self.non_negative_input)

    def to_json(self) -> dict[str, Any]:
        """Plain values, for records."""
        return {
            "input_shape": list(self.input_shape),
            "non_negative_input": self.non_negative_input,
            "layers": [layer.to_json() for layer in self.layers],
        }

    @classmethod
    def from_json(cls, spec: Mapping[str, Any]) -> Topology:
        """The topology that `to_json` wrote."""
        layers = tuple(layer_from_json(layer) for layer in spec["layers"])
        return cls(tuple(spec["input_shape"]), layers, spec.get("non_negative_input", False))


@dataclass(frozen=True, eq=False)
class Network:
    """A topology with its arrays: `weights[i]` belongs to `topology.layers[i]`.

    Raises:
        ValueError: an array does not have the shape that the topology requires.
    """

    topology: Topology
    weights: tuple[Arrays, ...]

    def __post_init__(self) -> None:
        for i, (arrays, shapes) in enumerate(
            zip(self.weights, self.topology.array_shapes, strict=True)
        ):
            actual = tuple(array.shape for array in arrays)
            if actual != shapes:
                layer = self.topology.layers[i]
                raise ValueError(
                    f"layer {i} ({layer}) needs arrays of shapes {shapes}, not {actual}"
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
    """An untrained network: Glorot-uniform kernels, zero biases, neutral batch normalization."""
    weights = tuple(
        layer.initial_arrays(shape, rng)
        for layer, shape in zip(topology.layers, topology.shapes, strict=False)
    )
    return Network(topology, weights)
