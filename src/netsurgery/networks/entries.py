"""Entries of a topology's list: one function each, from its settings to layers and blocks.

A function takes the shape of what enters the entry, and the settings as keywords; their defaults
are those of the configuration's schema. To add an entry, write such a function, and add a line to
`ENTRIES` and a section to the schema.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from netsurgery.networks.blocks import Block, Parallel, Residual, Row
from netsurgery.networks.layers import (
    Activation,
    BatchNorm,
    Conv,
    Dense,
    Dropout,
    Flatten,
    GlobalPool,
    Layer,
    LayerNorm,
    Pool,
    SeparableConv,
    Shape,
)
from netsurgery.networks.penalties import penalized_row
from netsurgery.networks.topology import Topology

Entry = Mapping[str, Mapping[str, Any]]  # of one name, with its settings

NONE = "none"
NORMALIZATIONS: dict[str, Row] = {"batch": (BatchNorm(),), "layer": (LayerNorm(),), NONE: ()}
BOTTLENECK_RATIO = 4  # channels of a bottleneck block, and those inside (He et al., 2016)


# --- parts of entries -----------------------------------------------------------------------------


def _activation(function: str) -> Row:
    return () if function == "linear" else (Activation(function),)


def _normalization(kind: str) -> Row:
    return NORMALIZATIONS[kind]


def _shortcut(shape: Shape, after: Shape, projection: Layer, normalization: str) -> Row:
    """Nothing if a body keeps the shape, else a projection (He et al., 2016, option B)."""
    return () if shape == after else (projection, *_normalization(normalization))


def _shape_after(row: Row, shape: Shape) -> Shape:
    return Topology(shape, row).output_shape


# --- convolutions ---------------------------------------------------------------------------------


def conv_cell(
    shape: Shape,
    *,
    channels: int,
    kernel: int = 3,
    stride: int = 1,
    separable: bool = False,
    pooling: str = "average",
    activation: str = "relu",
    repeats: int = 1,
    l1: float = 0.0,
    l2: float = 0.0,
) -> Row:
    """Convolution, pooling, batch normalization, activation (ECToNAS section 3.2).

    Of several in a row the first has the stride, and the last one pools.
    """
    row: Row = ()
    for i in range(repeats):
        pool = (Pool(pooling),) if pooling != NONE and i == repeats - 1 else ()
        convolution = SeparableConv if separable else Conv
        layer = convolution(channels, kernel, strides=stride if i == 0 else 1)
        row += (layer, *pool, BatchNorm(), Activation(activation))
    return penalized_row(row, (l1, l2))


def conv(
    shape: Shape,
    *,
    channels: int,
    kernel: int = 3,
    stride: int = 1,
    separable: bool = False,
    activation: str = "relu",
    l1: float = 0.0,
    l2: float = 0.0,
) -> Row:
    """A convolution with an activation."""
    convolution = SeparableConv if separable else Conv
    return penalized_row((convolution(channels, kernel, activation, strides=stride),), (l1, l2))


def residual(
    shape: Shape,
    *,
    channels: int,
    block: str = "basic",
    inner_channels: int | None = None,
    kernel: int = 3,
    stride: int = 1,
    separable: bool = False,
    activation: str = "relu",
    normalization: str = "batch",
    repeats: int = 1,
    l1: float = 0.0,
    l2: float = 0.0,
) -> Row:
    """Residual blocks (He et al., 2016); the first has the stride.

    A basic block has two convolutions. A bottleneck block has one between two of 1x1, the first of
    which reduces the channels; the one between has the stride.
    """
    inner = inner_channels or (
        channels if block == "basic" else max(1, channels // BOTTLENECK_RATIO)
    )
    use_bias = normalization == NONE
    between = (*_normalization(normalization), *_activation(activation))
    row: Row = ()
    for i in range(repeats):
        strides = stride if i == 0 else 1
        if block == "basic":
            convolutions = [(inner, kernel, strides), (channels, kernel, 1)]
        else:
            convolutions = [(inner, 1, 1), (inner, kernel, strides), (channels, 1, 1)]
        body: Row = ()
        for width, size, step in convolutions:
            convolution = SeparableConv if separable and size > 1 else Conv
            body += (convolution(width, size, use_bias=use_bias, strides=step), *between)
        body = body[: len(body) - len(_activation(activation))]  # it comes after the sum
        after = _shape_after(body, shape)
        projection = Conv(channels, 1, use_bias=use_bias, strides=strides)
        shortcut = _shortcut(shape, after, projection, normalization)
        row += (Residual(body, shortcut), *_activation(activation))
        shape = after
    return penalized_row(row, (l1, l2))


def squeeze(shape: Shape, *, ratio: int = 4, activation: str = "relu") -> Row:
    """A gate for each channel, computed from the means of all channels (Hu et al., 2018)."""
    channels = shape[-1]
    inner = Dense(max(1, channels // ratio), activation)
    gate: Row = (GlobalPool(), inner, Dense(channels, "sigmoid"))
    return (Parallel(((), gate), "multiply"),)


def pool(
    shape: Shape, *, function: str = "average", size: int = 2, stride: int | None = None
) -> Row:
    """Pooling; windows are adjacent by default."""
    return (Pool(function, size, stride),)


# --- heads ----------------------------------------------------------------------------------------


def flatten(shape: Shape) -> Row:
    """All values in a row."""
    return (Flatten(),) if len(shape) > 1 else ()


def global_average(shape: Shape) -> Row:
    """The mean of each channel."""
    return (GlobalPool("average"),)


def global_max(shape: Shape) -> Row:
    """The largest value of each channel."""
    return (GlobalPool("max"),)


# --- dense layers ---------------------------------------------------------------------------------


def dense(
    shape: Shape, *, units: int, activation: str = "relu", l1: float = 0.0, l2: float = 0.0
) -> Row:
    """A dense layer."""
    return penalized_row((Dense(units, activation),), (l1, l2))


def residual_dense(
    shape: Shape,
    *,
    units: int,
    inner_units: int | None = None,
    activation: str = "relu",
    normalization: str = "batch",
    repeats: int = 1,
    l1: float = 0.0,
    l2: float = 0.0,
) -> Row:
    """Residual blocks of two dense layers."""
    use_bias = normalization == NONE
    row: Row = ()
    for _ in range(repeats):
        body: Row = (
            Dense(inner_units or units, "linear", use_bias),
            *_normalization(normalization),
            *_activation(activation),
            Dense(units, "linear", use_bias),
            *_normalization(normalization),
        )
        projection = Dense(units, "linear", use_bias)
        shortcut = _shortcut(shape, (units,), projection, normalization)
        row += (Residual(body, shortcut), *_activation(activation))
        shape = (units,)
    return penalized_row(row, (l1, l2))


# --- anywhere -------------------------------------------------------------------------------------


def batch_norm(shape: Shape) -> Row:
    """Batch normalization."""
    return (BatchNorm(),)


def layer_norm(shape: Shape) -> Row:
    """Layer normalization."""
    return (LayerNorm(),)


def activation(shape: Shape, *, function: str = "relu") -> Row:
    """An activation."""
    return (Activation(function),)


def dropout(shape: Shape, *, rate: float) -> Row:
    """Dropout."""
    return (Dropout(rate),)


def parallel(
    shape: Shape, *, branches: Sequence[Sequence[Entry]], join: str = "concatenate"
) -> Row:
    """Lists of entries that take the same input, and whose outputs are joined.

    An empty list passes the input on.
    """
    rows = []
    for i, branch in enumerate(branches, start=1):
        try:
            rows.append(row_of(branch, shape))
        except ValueError as error:
            raise ValueError(f"branch {i}, {error}") from None
    return (Parallel(tuple(rows), join),)


def inputs(shape: Shape, *, rows: Mapping[str, Sequence[Entry]]) -> Row:
    """A list of entries for each of several inputs (see `netsurgery.networks.input_rows`)."""
    raise ValueError("begins the list of a dataset with several inputs, and is for no other place")


# --- lists of entries -----------------------------------------------------------------------------

ENTRIES: dict[str, Callable[..., Row]] = {
    function.__name__: function
    for function in (
        conv_cell,
        conv,
        residual,
        squeeze,
        pool,
        flatten,
        global_average,
        global_max,
        dense,
        residual_dense,
        batch_norm,
        layer_norm,
        activation,
        dropout,
        parallel,
        inputs,
    )
}
# what needs channels that lie along one side or two, and what needs a row of values
ALONG_SIDES = {"conv_cell", "conv", "residual", "squeeze", "pool", "global_average", "global_max"}
OF_ROWS = {"dense", "residual_dense"}


def defaults_of(name: str) -> dict[str, Any]:
    """The settings of an entry that have a default."""
    parameters = inspect.signature(ENTRIES[name]).parameters.values()
    return {each.name: each.default for each in parameters if each.default is not each.empty}


def row_of(entries: Sequence[Entry], shape: Shape, *, first: int = 1) -> Row:
    """The layers and blocks of a list of entries.

    A flatten layer is added in front of the first dense layer that needs one.

    Args:
        entries: one mapping each, `{"conv_cell": {"channels": 8, "pooling": "max"}}`.
        shape: of what enters the first one.
        first: the number of the first entry in messages.

    Raises:
        ValueError: an entry does not accept what enters it; the message numbers it.
    """
    row: tuple[Layer | Block, ...] = ()
    entering = shape
    for i, entry in enumerate(entries, start=first):
        ((name, settings),) = entry.items()
        try:
            if name in ALONG_SIDES and len(shape) == 1:
                raise ValueError(f"needs images or series, not rows of {shape[0]} features")
            if name in ALONG_SIDES and len(entering) == 1:
                raise ValueError("must come before all dense layers and heads")
            before = flatten(entering) if name in OF_ROWS else ()
            added = (*before, *ENTRIES[name](_shape_after(before, entering), **settings))
            entering = _shape_after(added, entering)
        except ValueError as error:
            separator = ", " if str(error).startswith("branch ") else ": "
            raise ValueError(f"entry {i}, {name}{separator}{error}") from None
        row += added
    return row
