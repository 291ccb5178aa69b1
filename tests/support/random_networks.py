"""Random networks with the weights of trained ones, of all kinds of layers.

Property tests check on these what must hold for any network.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from netsurgery.networks.blocks import Block, Parallel, Residual, Row
from netsurgery.networks.layers import (
    CAUSAL,
    SAME,
    VALID,
    Activation,
    Arrays,
    BatchNorm,
    ClippedReLU,
    Conv,
    Cropping,
    Dense,
    DepthwiseConv,
    Dropout,
    Flatten,
    GlobalPool,
    InputPart,
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
    conv_cell,
    input_parts,
)
from netsurgery.networks.layers.windows import Sides, as_sides, by_side, span
from netsurgery.networks.network import Network
from netsurgery.networks.packed_inputs import unpacked
from netsurgery.networks.topology import Topology

PIECEWISE_LINEAR = ("linear", "relu", "relu", "leaky_relu")
SMOOTH = ("tanh", "sigmoid", "elu", "silu")


class _Builder:
    """A sequence of layers and the shape of its output."""

    def __init__(self, input_shape: Shape, rng: np.random.Generator) -> None:
        self.shape, self.rng, self.layers = input_shape, rng, list[Layer]()

    def add(self, *layers: Layer) -> None:
        for layer in layers:
            self.shape = layer.output_shape(self.shape)
            self.layers.append(layer)

    def seldom(self) -> bool:
        return self.rng.random() < 0.2

    def one_of(self, *values: str) -> str:
        return values[self.rng.integers(len(values))]

    def activation(self) -> str:
        return self.one_of(*(SMOOTH if self.seldom() else PIECEWISE_LINEAR))

    def norm(self) -> None:
        """Add normalization, mostly that of batches, seldom without gamma or beta."""
        settings = {"scale": not self.seldom(), "center": not self.seldom()}
        if self.seldom():
            self.add(LayerNorm(1e-2, **settings))
        else:
            self.add(BatchNorm(1e-2, **settings))

    def function(self) -> None:
        """Add an activation layer, and sometimes dropout."""
        slope = float(self.rng.choice([0.2, 0.01, 0.3, 1.0]))
        name = self.activation()
        if self.seldom():
            others = (PReLU(), ClippedReLU(2.0, slope, 0.1), Activation("elu", alpha=slope))
            self.add(others[self.rng.integers(len(others))])
        else:
            self.add(Activation(name, slope) if name == "leaky_relu" else Activation(name))
        if self.seldom():
            together = tuple(range(1, len(self.shape))) if self.seldom() else ()
            self.add(Dropout(0.5, together))

    def margins(self) -> None:
        """Add zeros around the sides, or take from them what fits."""
        pairs = tuple(
            (int(a), int(b)) for a, b in self.rng.integers(0, 2, (len(self.shape) - 1, 2))
        )
        sides = zip(self.shape, pairs, strict=False)
        cropped = self.seldom() and all(side > sum(pair) for side, pair in sides)
        self.add(Cropping(pairs) if cropped else ZeroPadding(pairs))

    def padding(self, size: Sides, dilation: Sides = 1, *others: str) -> str:
        """A random padding, also of `others` for series; `same` if the window does not fit."""
        windows = zip(self.shape, self.sides(size), self.sides(dilation), strict=False)
        fits = all(span(size, apart) <= side for side, size, apart in windows)
        others = others if len(self.shape) == 2 else ()
        return self.one_of(SAME, *[VALID] * fits, *others)

    def sides(self, value: Sides) -> tuple[int, ...]:
        return by_side(value, self.shape)

    def size(self, *choices: int) -> Sides:
        """A number for all sides, seldom one for each."""
        drawn = tuple(int(size) for size in self.rng.choice(choices, len(self.shape) - 1))
        return as_sides(drawn) if self.seldom() else drawn[0]

    def convolution(self) -> None:
        """Add a conv cell of ECToNAS, or one of the other usual arrangements."""
        channels, use_bias = int(self.rng.integers(1, 6)), not self.seldom()
        if self.rng.random() < 0.4:
            _, *cell = conv_cell(channels, pooling=self.one_of("average", "max"))
            self.add(Conv(channels, use_bias=use_bias), *cell)
            return
        kernel = self.size(1, 2, 3, 3, 3, 5)
        strides = self.size(1, 2) if self.seldom() else 1
        dilation = self.size(2, 3) if strides == 1 and self.seldom() else 1
        activation = "linear" if (normed := self.rng.random() < 0.5) else self.activation()
        if self.seldom():
            self.margins()
        if self.seldom():
            strides = 1 if isinstance(strides, tuple) else strides
            settings = (kernel, activation, use_bias, strides, self.padding(kernel, dilation))
            apart = self.rng.random() < 0.5
            self.add(
                DepthwiseConv(*settings, dilation)
                if apart
                else SeparableConv(channels, *settings, dilation)
            )
        else:
            padding = self.padding(kernel, dilation, CAUSAL)
            self.add(Conv(channels, kernel, activation, use_bias, strides, padding, dilation))
        if normed:
            self.norm()
            self.function()
        if self.rng.random() < 0.5:
            size = self.size(2, 2, 3)
            overlapping = 2 if size == 3 and self.seldom() else None
            pooling, padding = self.one_of("average", "max"), self.padding(size)
            self.add(Pool(pooling, size, overlapping, padding))

    def dense(self) -> None:
        """Add a hidden dense layer, perhaps with normalization and an activation layer."""
        units, use_bias = int(self.rng.integers(1, 9)), not self.seldom()
        if self.rng.random() < 0.6:
            self.add(Dense(units, self.activation(), use_bias))
            return
        self.add(Dense(units, "linear", use_bias))
        self.norm()
        self.function()


def varied(rng: np.random.Generator) -> Topology:
    """A random topology: images with or without a channel axis, series, or flat inputs."""
    kind = rng.choice(["image", "image", "image", "series", "series", "grey", "flat"])
    sides = tuple(int(side) for side in rng.integers(1, 12, 2))
    if kind == "image":
        shape: Shape = (*sides, int(rng.integers(1, 4)))
    elif kind == "series":
        shape = (2 * sides[0], int(rng.integers(1, 4)))
    else:
        shape = sides if kind == "grey" else (int(rng.integers(1, 12)),)
    row = _Builder(shape, rng)
    if row.seldom():
        row.add(Rescaling(0.5, float(rng.choice([0.0, -1.0]))))
    if kind == "grey" and rng.random() < 0.6:
        row.add(Reshape((*shape, 1)))
    if kind == "series" or len(row.shape) == 3:
        for _ in range(rng.integers(4)):
            row.convolution()
        if row.seldom():
            row.add(GlobalPool(row.one_of("average", "max"), row.seldom()))
        if row.seldom() and len(row.shape) == 1:
            row.add(OnePixel(2), Conv(3, 1))
        if len(row.shape) > 1:
            row.add(Flatten())
    elif len(row.shape) == 2:
        row.add(Flatten())
    if row.seldom():
        row.add(*([Flatten()] if row.seldom() else []))
        row.norm()
    for _ in range(rng.integers(4)):
        row.dense()
    row.add(Dense(int(rng.integers(1, 5)), "linear", not row.seldom()))
    return Topology(shape, tuple(row.layers))


def branched(rng: np.random.Generator) -> Topology:
    """A random series-parallel topology: residual blocks, branches and gates, also nested ones.

    Of images, series and flat inputs.
    """
    if rng.random() < 0.3:
        shape: Shape = (int(rng.integers(1, 8)),)
        row = _Branching(shape, rng)
        for _ in range(rng.integers(1, 4)):
            row.dense_block()
    else:
        sides = rng.integers(1, 8, 1 if rng.random() < 0.3 else 2)
        shape = (*(int(side) for side in sides), int(rng.integers(1, 4)))
        row = _Branching(shape, rng)
        for _ in range(rng.integers(1, 4)):
            row.image_block(depth=0)
        row.add(GlobalPool(row.one_of("average", "max")) if rng.random() < 0.5 else Flatten())
        if row.seldom():
            row.dense_block()
    row.add(Dense(int(rng.integers(1, 5)), "linear", not row.seldom()))
    return Topology(shape, tuple(row.nodes))


def with_several_inputs(rng: np.random.Generator) -> Topology:
    """A random topology of two or three inputs: images, series and rows, each with its own layers.

    Their rows are joined flat, before dense layers.
    """
    kinds = ["image", str(rng.choice(["row", "series", "image"])), "row"][: rng.integers(2, 4)]
    sides = {"image": 2, "series": 1, "row": 0}
    shapes = {
        f"{kind}_{i}": (*map(int, rng.integers(1, 6, sides[kind])), int(rng.integers(1, 4)))
        for i, kind in enumerate(kinds)
    }
    parts = input_parts(shapes)
    numbers = (parts[-1].stop,)
    rows = []
    for part in rng.permutation(np.array(parts, object)):
        row = _Branching(numbers, rng, [part])
        if len(part.shape) > 1:
            if rng.random() < 0.5:
                row.add(*conv_cell(int(rng.integers(1, 5)), pooling=row.one_of("average", "max")))
            for _ in range(rng.integers(3)):
                row.image_block(depth=0)
            row.add(GlobalPool() if rng.random() < 0.5 else Flatten())
        if rng.random() < 0.6:
            row.dense()
        rows.append(tuple(row.nodes))
    joined = _Branching(numbers, rng, [Parallel(tuple(rows))])
    for _ in range(rng.integers(2)):
        joined.dense_block()
    joined.add(Dense(int(rng.integers(1, 5)), "linear", not joined.seldom()))
    return Topology(numbers, tuple(joined.nodes))


class _Branching(_Builder):
    """A row of layers and blocks, and the shape of its output."""

    def __init__(
        self, input_shape: Shape, rng: np.random.Generator, nodes: Sequence[Layer | Block] = ()
    ) -> None:
        super().__init__(input_shape, rng)
        self.nodes: list[Layer | Block] = list(nodes)
        for node in nodes:
            self.shape = _after(node, self.shape)

    def add(self, *nodes: Layer | Block) -> None:
        for node in nodes:
            self.nodes.append(node)
            self.shape = _after(node, self.shape)

    def inner(self) -> _Branching:
        return _Branching(self.shape, self.rng)

    def cell(self, channels: int, strides: int = 1) -> None:
        """Add a convolution that keeps the size of images, with normalization and activation."""
        kernel, normed = self.size(1, 2, 3, 3, 5), self.rng.random() < 0.6
        activation = "linear" if normed else self.activation()
        dilation = self.size(1, 2) if strides == 1 and self.seldom() else 1
        bias = not self.seldom()
        kind = SeparableConv if self.seldom() else Conv
        if self.seldom() and strides == 1:
            self.add(DepthwiseConv(kernel, "linear", bias, dilation=dilation))
        self.add(kind(channels, kernel, activation, bias, strides, dilation=dilation))
        if normed:
            self.norm()
            self.function()

    def image_block(self, depth: int) -> None:
        """Add a cell, a residual block, branches or a gate; blocks may hold others."""
        kind = self.rng.choice(["cell", "residual", "residual", "branches", "gate", "pool"])
        channels = int(self.rng.integers(1, 6))
        if kind == "cell" or depth > 1:
            self.cell(channels, 2 if self.seldom() else 1)
        elif kind == "pool":
            self.add(Pool(self.one_of("average", "max")))
        elif kind == "gate":
            self.add(self.gate())
        elif kind == "branches":
            joined = self.one_of("concatenate", "add")
            rows = []
            for _ in range(self.rng.integers(2, 4)):
                row = self.inner()
                if joined == "add" or not self.seldom():
                    row.image_block(depth + 1) if self.seldom() else row.cell(channels)
                    row.cell(channels)
                rows.append(row)
            sides = {row.shape[:-1] for row in rows}
            if len(sides) == 1:
                self.add(Parallel(tuple(tuple(row.nodes) for row in rows), joined))
        else:
            self.residual(channels, depth)
        if self.seldom():
            self.function()

    def residual(self, channels: int, depth: int) -> None:
        """Add a residual block, with a projection where the shape changes."""
        strides, body = 2 if self.seldom() else 1, self.inner()
        projects = strides == 2 or self.rng.random() < 0.4
        channels = channels if projects else self.shape[-1]
        if projects or not self.seldom():
            body.cell(int(self.rng.integers(1, 6)), strides)
        if depth < 1 and self.seldom():
            body.add(body.gate())
        body.add(Conv(channels))
        if self.rng.random() < 0.5:
            body.norm()
        shortcut: Row = (Conv(channels, 1, strides=strides),) if projects else ()
        self.add(Residual(tuple(body.nodes), shortcut))

    def gate(self) -> Parallel:
        """Squeeze and excitation: the channels times numbers between 0 and 1 (Hu et al. 2018)."""
        squeezed = (GlobalPool(), Dense(int(self.rng.integers(1, 4))))
        return Parallel(((), (*squeezed, Dense(self.shape[-1], "sigmoid"))), "multiply")

    def dense_block(self) -> None:
        """Add a dense layer or a residual block of some."""
        if self.rng.random() < 0.4:
            self.dense()
            return
        body = self.inner()
        body.dense()
        body.add(Dense(self.shape[-1], "linear"))
        self.add(Residual(tuple(body.nodes)))


def _after(node: Layer | Block, shape: Shape) -> Shape:
    if isinstance(node, InputPart):
        return node.shape
    return Topology(shape, (node,)).output_shape


def trained(topology: Topology, rng: np.random.Generator) -> Network:
    """A network with weights and moving statistics as after training: nothing is neutral."""

    def arrays(layer: Layer, shapes: tuple[Shape, ...]) -> Arrays:
        if isinstance(layer, BatchNorm | LayerNorm) and shapes:
            (width,) = shapes[0]
            gamma = rng.uniform(0.3, 1.5, width) * rng.choice([-1, 1], width)
            beta, mean = rng.normal(0, 0.5, width), rng.normal(0, 0.3, width)
            learned = [gamma] * layer.scale + [beta] * layer.center
            moving = [mean, rng.uniform(0.3, 2, width)] if isinstance(layer, BatchNorm) else []
            values = [*learned, *moving]
        else:
            values = [
                rng.normal(0, 1 / math.sqrt(math.prod(s[:-1])) if len(s) > 1 else 0.3, s)
                for s in shapes
            ]
        return tuple(value.astype(np.float32) for value in values)

    return Network(topology, tuple(map(arrays, topology.layers, topology.array_shapes)))


def as_keras_takes(topology: Topology, x: np.ndarray) -> np.ndarray | dict[str, np.ndarray]:
    """A batch as the network's Keras model takes it, in single precision."""
    x = x.astype(np.float32)
    return unpacked(x, topology.inputs) if topology.inputs else x


def inputs(topology: Topology, rng: np.random.Generator, batch: int = 4) -> np.ndarray:
    """A batch in double precision, so that only the rounding of weights matters."""
    return rng.normal(size=(batch, *topology.input_shape))
