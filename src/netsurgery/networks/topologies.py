"""Starting topologies: by name (ECToNAS table 6, Surgeon table 2), or from a user's list."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from netsurgery.networks.layers import Conv, Dense, Flatten, Layer, Shape, conv_cell
from netsurgery.networks.topology import Topology

# name: channels of the conv cells, units of the hidden dense layers
NAMED: dict[str, tuple[tuple[int, ...], tuple[int, ...]]] = {
    "ff-small": ((), (10,)),
    "ff-medium": ((), (10, 10)),
    "ff-large": ((), (100, 50, 10)),
    "cnn-small": ((3, 6, 9), (10,)),
    "cnn-medium": ((3, 6), (10, 10)),
    "cnn-large": ((3,), (100, 50, 10)),
    "surgeon-small": ((), (10,)),
    "surgeon-medium": ((), (10, 10, 10)),
    "surgeon-large": ((), (300, 100, 100)),
}
DEFAULTS = {"activation": "relu", "pooling": "average"}  # of layers in a list
# these have no activation in the output layer
WITH_LOGITS = ("surgeon-small", "surgeon-medium", "surgeon-large")


def named(name: str) -> list[dict[str, Any]]:
    """A named topology as a list of hidden layers, as users write it (see `build`)."""
    channels, units = NAMED[name]
    return [
        *({"conv_cell": {"channels": c}} for c in channels),
        *({"dense": {"units": u}} for u in units),
    ]


def without_defaults(hidden: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """A list of hidden layers without settings that are as `build` has them by default."""
    return [
        {
            kind: {key: value for key, value in settings.items() if DEFAULTS.get(key) != value}
            for kind, settings in entry.items()
        }
        for entry in hidden
    ]


def build(
    hidden: Sequence[dict[str, Any]],
    input_shape: Shape,
    outputs: int,
    output_activation: str = "softmax",
) -> Topology:
    """A complete topology: hidden layers, a flatten layer where needed, and the output layer.

    Args:
        hidden: one mapping per layer, `{"conv_cell": {"channels": 8, "pooling": "max"}}`,
            `{"conv": {"channels": 8}}` or `{"dense": {"units": 32}}`; dense layers come last.
        input_shape: (height, width, channels) of an image or (features,) of a table row.
        outputs: units of the output layer.
        output_activation: activation of the output layer.

    Raises:
        ValueError: a convolution comes after a dense layer, or the data are not images.
    """
    layers: list[Layer] = []
    flat = len(input_shape) == 1
    for entry in hidden:
        ((kind, settings),) = entry.items()
        if kind in ("conv_cell", "conv"):
            name = kind.replace("_", " ")
            if len(input_shape) == 1:
                raise ValueError(f"a {name} needs images, not rows of {input_shape[0]} features")
            if flat:
                raise ValueError(f"{name}s must come before all dense layers")
            if kind == "conv_cell":
                layers += conv_cell(**settings)
            else:
                layers.append(Conv(**{"activation": "relu", **settings}))
        else:
            if not flat:
                layers.append(Flatten())
                flat = True
            layers.append(Dense(**settings))
    if not flat:
        layers.append(Flatten())
    layers.append(Dense(outputs, activation=output_activation))
    if math.prod(input_shape) < 1:
        raise ValueError(f"the input shape {input_shape} is empty")
    return Topology(input_shape, tuple(layers))
