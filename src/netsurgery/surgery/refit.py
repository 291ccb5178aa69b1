"""The least squares rule: after a removal, later layers are refitted to real samples.

Calibration samples show what a layer computed in the parent, before its activation. Least squares
corrects the child's weights so that the layer reproduces this as closely as possible from its new
input.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np

from netsurgery.networks import activations
from netsurgery.networks.inference import (
    CHUNK,
    Values,
    as_input,
    chunks,
    live,
    pre_activation,
    run_layers,
)
from netsurgery.networks.layers import KernelLayer
from netsurgery.networks.network import Network
from netsurgery.networks.topology import Topology
from netsurgery.surgery.corrections import corrected
from netsurgery.surgery.pooling import resized

ROWS_PER_FEATURE = 20  # pixels to fit a convolution to; more take time but add no accuracy
MOST_ROWS = 5_000  # of them in wide layers, whose fit the penalty limits anyway
MIN_IMAGES = 32

Networks = tuple[Network, Network]  # parent and child
Pair = tuple[dict[int, np.ndarray], dict[int, np.ndarray]]  # of parent and child: see `Values`


def refit_layers(
    parent: Network,
    child: Network,
    positions: Sequence[int],
    x: np.ndarray,
    outputs: Mapping[int, np.ndarray] = MappingProxyType({}),
) -> Network:
    """The child, with some layers fitted in order to what they computed in the parent.

    Args:
        parent: the network before surgery.
        child: the network after it; the correction starts from its weights.
        positions: in the parent, of the layers to fit; all come after the changed layer.
        x: (n, *input_shape) calibration samples.
        outputs: by position in the parent which outputs remain, where not all do.
    """
    grown = len(child.weights) - len(parent.weights)
    # what the next layers in parent and child, and later ones, take
    at, values = (0, 0), _nothing()
    for before in positions:
        layer, after = parent.topology.layer(before, KernelLayer), before + grown
        networks, stop = (parent, child), (before, after)
        count = samples_needed(child.topology, after, len(x))
        values = _more(networks, stop, _run_both(networks, at, stop, values), x[:count])
        read, features = (
            value[network.topology.steps[end].inputs[0]]
            for value, network, end in zip(values, networks, stop, strict=True)
        )
        wanted = pre_activation(layer, parent.weights[before], read)
        remaining = wanted[..., outputs[before]] if before in outputs else wanted
        fitted = child.topology.layer(after, KernelLayer)
        arrays = _fit(fitted, child.weights[after], features[:count], remaining[:count])
        child = child.with_arrays({after: arrays})
        values[0][before] = activations.apply(layer.activation, wanted)
        at = (before + 1, after)
    return child


def _nothing() -> Pair:
    return {}, {}


def _count(values: Values) -> int:
    return len(next(iter(values.values()), ()))


def _more(networks: Networks, stop: tuple[int, int], values: Pair, x: np.ndarray) -> Pair:
    """Values before some layers, for all samples x; `values` are those of the first ones.

    The last of these chunks may be incomplete: it runs again, as a part of a larger one.
    """
    if _count(values[0]) >= len(x):
        return values
    complete = _count(values[0]) // CHUNK * CHUNK
    rest = as_input(x[complete:])
    more = _run_both(networks, (0, 0), stop, (rest, rest))
    if not complete:
        return more
    one, other = (
        {i: np.concatenate([first[i][:complete], second[i]]) for i in second}
        for first, second in zip(values, more, strict=True)
    )
    return one, other


def _run_both(
    networks: Networks,
    start: tuple[int, int],
    stop: tuple[int, int],
    values: Pair,
) -> Pair:
    """Pass values through parent and child, from one layer of each to another.

    From the first layer on, the layers that both have in common run only once.
    """
    common = _common_layers(*networks, min(stop)) if start == (0, 0) else None
    kept = [live(network.topology, end) for network, end in zip(networks, stop, strict=True)]
    count = _count(values[0])
    results: Pair = ({}, {})
    for part in chunks(count):
        heads, first = [{i: v[part] for i, v in value.items()} for value in values], start
        if common is not None:
            heads = [run_layers(networks[0], heads[0], 0, common)] * 2
            first = (common, common)
        for i, network in enumerate(networks):
            ends = run_layers(network, heads[i], first[i], stop[i])
            for position in kept[i]:
                end = ends[position]
                whole = results[i].setdefault(
                    position, np.empty((count, *end.shape[1:]), end.dtype)
                )
                whole[part] = end
    return results


def _common_layers(parent: Network, child: Network, limit: int) -> int:
    """How many layers parent and child have in common, from the first on."""
    for i in range(limit):
        arrays = zip(parent.weights[i], child.weights[i], strict=False)
        same_layer = parent.topology.steps[i] == child.topology.steps[i]
        if not same_layer or any(mine is not other for mine, other in arrays):
            return i
    return limit


def samples_needed(topology: Topology, position: int, samples: int) -> int:
    """How many samples to fit a layer to: for a convolution, each image holds many pixels."""
    *sides, _ = topology.input_shapes[position]
    if not sides:
        return samples
    layer = topology.layer(position, KernelLayer)
    kernel = layer.kernel_shape(topology.input_shapes[position])
    rows = min(MOST_ROWS, ROWS_PER_FEATURE * math.prod(kernel[:-1]))
    return min(samples, max(MIN_IMAGES, -(-rows // math.prod(sides))))


def _fit(
    layer: KernelLayer, arrays: tuple[np.ndarray, ...], features: np.ndarray, wanted: np.ndarray
) -> tuple[np.ndarray, ...]:
    """A layer's arrays, corrected so that it gives the wanted values for these features."""
    missing = pre_activation(layer, arrays, features)
    if wanted.ndim > 2:  # images or series, perhaps of another size
        wanted = resized(wanted, missing.shape[1:-1])
    return corrected(layer, arrays, features, np.subtract(wanted, missing, dtype=np.float64))
