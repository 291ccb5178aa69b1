"""The work of training a network, by kinds that take a machine different times.

Counts are for one sample. What a unit of each kind takes is measured (`netsurgery.search.speed`).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping

from netsurgery.networks.averages import is_averaged
from netsurgery.networks.layers import (
    BatchNorm,
    Conv,
    DepthwiseConv,
    Flatten,
    InputPart,
    KernelLayer,
    Layer,
    OnePixel,
    Pool,
    Reshape,
    SeparableConv,
    Shape,
    Windowed,
)
from netsurgery.networks.steps import INPUT
from netsurgery.networks.topology import Topology

# what there is once for each batch, whatever its size
BATCH, LAYERS, PARAMETERS = "batch", "layers", "parameters"
PER_BATCH = (BATCH, LAYERS, PARAMETERS)
# what each sample needs
CONVOLUTIONS = "convolutions"  # multiplications, as a processor does them: by blocks of channels
PIXELS = "pixels"  # numbers that convolutions read and write
AVERAGED = "averaged"  # those that one reads of which only averages are used
DEPTHWISE = "depthwise"  # multiplications by kernels of single channels
PRODUCTS = "products"  # multiplications by kernels of dense layers
UNEVEN = "uneven"  # those where units fill no whole blocks
NORMALIZED, POOLED, OTHERS = "normalized", "pooled", "others"  # numbers that other layers take
UNALIGNED = "unaligned"  # numbers that are normalized, and fill no whole blocks
PER_SAMPLE = (
    *(CONVOLUTIONS, PIXELS, AVERAGED, DEPTHWISE, PRODUCTS, UNEVEN),
    *(NORMALIZED, UNALIGNED, POOLED, OTHERS),
)
KINDS = (*PER_BATCH, *PER_SAMPLE)

BLOCK = 16  # channels that a processor multiplies at once
FEW = 4  # channels of images, which it takes as they are
WITHOUT_WORK = InputPart | Flatten | Reshape | OnePixel


def work_of(topology: Topology) -> Mapping[str, float]:
    """The work to train on one sample and, of what there is once, on one batch.

    Multiplications are those for the output of a layer, for the gradient by its kernel and for that
    by its input, of which the first layer has no use.
    """
    found: Counter[str] = Counter()
    found[BATCH], found[PARAMETERS], found[LAYERS] = 1, topology.parameters, len(topology.steps)
    averaged = set[int]()  # pooling that is done with the convolution before it
    for i, step in enumerate(topology.steps):
        if i in averaged:
            continue
        entering, leaving = topology.input_shapes[i], topology.output_shapes[i]
        first = any(j == INPUT or isinstance(topology.layers[j], InputPart) for j in step.inputs)
        if isinstance(step.layer, Conv):
            chain = topology.chain(i)
            if is_averaged(step.layer, [topology.layers[j] for j in chain], entering):
                averaged.add(chain[0])
                found.update(_of_averages(step.layer, entering, leaving, first=first))
                continue
        found.update(_of_layer(step.layer, entering, leaving, first=first))
    return found


def _of_layer(layer: Layer, entering: Shape, leaving: Shape, *, first: bool) -> dict[str, int]:
    read, written = _numbers(entering), _numbers(leaving)
    if isinstance(layer, DepthwiseConv):
        return {DEPTHWISE: layer.multiplications(entering)}
    if isinstance(layer, Windowed):
        own = {PIXELS: written + (0 if first else read)}
        if isinstance(layer, SeparableConv):
            own[DEPTHWISE] = layer.depthwise.multiplications(entering)
        taps = math.prod(layer.taps(entering)) if isinstance(layer, Conv) else 1
        kernels = taps * _numbers(leaving[:-1])
        return own | {CONVOLUTIONS: kernels * _multiplied(entering, leaving, first=first)}
    if isinstance(layer, KernelLayer):
        even = (entering[-1] or 1) % BLOCK == 0 and (leaving[-1] or 1) % BLOCK == 0
        multiplications = (2 if first else 3) * layer.multiplications(entering)
        return {PRODUCTS if even else UNEVEN: multiplications, OTHERS: written}
    if isinstance(layer, BatchNorm):
        return {NORMALIZED if _fills_blocks(leaving) else UNALIGNED: written}
    if isinstance(layer, Pool):
        return {POOLED: read}
    if isinstance(layer, WITHOUT_WORK):
        return {}
    return {OTHERS: max(read, written) + layer.multiplications(entering)}


def _of_averages(layer: Conv, entering: Shape, leaving: Shape, *, first: bool) -> dict[str, int]:
    """The work of a convolution and the averages over 2x2 pixels: a convolution of such blocks."""
    kernels = math.prod((side + 1) // 2 for side in layer.taps(entering))
    kernels *= _numbers(leaving[:-1]) // 4
    read, blocks = _numbers(entering), (*entering[:-1], 4 * (entering[-1] or 1))
    return {
        CONVOLUTIONS: kernels * _multiplied(blocks, leaving, first=first),
        PIXELS: _numbers(leaving) // 4 + (0 if first else read),
        AVERAGED: read,
    }


def _multiplied(entering: Shape, leaving: Shape, *, first: bool) -> int:
    """Multiplications by a kernel of one pixel: some need whole blocks of channels."""
    before, after = entering[-1] or 1, leaving[-1] or 1
    filled = before if before <= FEW else _blocks(before)
    by_input = 0 if first else filled * after
    return before * _blocks(after) + filled * _blocks(after) + by_input


def _blocks(channels: int) -> int:
    return BLOCK * -(-channels // BLOCK)


def _fills_blocks(shape: Shape) -> bool:
    """Whether channels, or those of several pixels together, fill whole blocks."""
    parts = BLOCK // math.gcd(shape[-1] or 1, BLOCK)
    return _numbers(shape[:-1]) % parts == 0


def _numbers(shape: Shape) -> int:
    return math.prod(side or 1 for side in shape)  # None: any length
