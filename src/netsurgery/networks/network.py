"""A network as a value: a topology, and numpy arrays.

Everything here is immutable and free of TensorFlow. `netsurgery.keras_io.conversion` converts a
network to a Keras model and back; `netsurgery.surgery` makes one network from another.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from netsurgery.networks.layers import Arrays
from netsurgery.networks.topology import Topology


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
                    f"layer {self.topology.places[i]} ({layer}) needs arrays of shapes {shapes},"
                    f" not {actual}"
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
        for layer, shape in zip(topology.layers, topology.input_shapes, strict=True)
    )
    return Network(topology, weights)
