"""The structure of a network as a value: rows of layers, and blocks that hold inner rows.

Everything that walks a network does so step by step (`Topology.steps`): shapes, counts, inference
in numpy and TensorFlow, and Keras models. **Positions** are indices into the steps. In a network
without blocks they are those of Keras's `model.layers`. Users name positions by **places**: an
index in the main row, or a path such as `3.body.1`, which stay the same when another row changes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, TypeVar

from netsurgery.networks.blocks import Block, Row, row_from_json, row_to_json
from netsurgery.networks.layers import Flatten, InputPart, Join, KernelLayer, Layer, OnePixel, Shape
from netsurgery.networks.steps import INPUT, Place, Step, edit, place_of, steps_of

AnyLayer = TypeVar("AnyLayer", bound=Layer)


@dataclass(frozen=True)
class Topology:
    """The structure of a series-parallel network, without its arrays.

    Attributes:
        input_shape: of a sample; of several inputs the number of their numbers (see `InputPart`).
        row: its layers and blocks, from input to output.
        non_negative_input: whether samples are known to have no negative values.

    Raises:
        ValueError: a layer does not accept the output of the one before it, or an input is taken by
            no layer.
    """

    input_shape: Shape
    row: Row
    non_negative_input: bool = False

    def __post_init__(self) -> None:
        self.output_shapes, self.inputs  # noqa: B018 - computing them is the check

    # --- the steps, and what follows from them ----------------------------------------------------

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """All layers, each after those whose outputs it takes."""
        return steps_of(self.row)

    @cached_property
    def layers(self) -> tuple[Layer, ...]:
        """The layer of each step; joins are among them."""
        return tuple(step.layer for step in self.steps)

    @cached_property
    def inputs(self) -> tuple[InputPart, ...]:
        """The inputs of a network that takes several, in the order of a sample's numbers."""
        taking = [step.layer for step in self.steps if INPUT in step.inputs]
        parts = [layer for layer in taking if isinstance(layer, InputPart)]
        parts.sort(key=lambda part: part.start)
        starts, stops = [part.start for part in parts], [part.stop for part in parts]
        if parts and (len(parts) < len(taking) or [*starts, *self.input_shape] != [0, *stops]):
            raise ValueError("each input of the network needs one layer that takes it")
        return tuple(parts)

    @cached_property
    def output_shapes(self) -> tuple[Shape, ...]:
        """Shape of the output of every layer."""
        shapes: list[Shape] = []
        for step in self.steps:
            entering = [self.input_shape if i == INPUT else shapes[i] for i in step.inputs]
            if isinstance(step.layer, Join):
                shapes.append(step.layer.output_shape(*entering))
            else:
                shapes.append(step.layer.output_shape(entering[0]))
        return tuple(shapes)

    @cached_property
    def input_shapes(self) -> tuple[Shape, ...]:
        """Shape of the input of every layer; of the first input where there are several."""
        return tuple(self.leaving(step.inputs[0]) for step in self.steps)

    @property
    def descriptions(self) -> tuple[str, ...]:
        """Every layer for display, by what enters it."""
        return tuple(
            layer.describe(shape)
            for layer, shape in zip(self.layers, self.input_shapes, strict=True)
        )

    def leaving(self, position: int) -> Shape:
        """Shape of what leaves the layer at `position`, or at `INPUT` enters the network."""
        return self.input_shape if position == INPUT else self.output_shapes[position]

    @property
    def output_shape(self) -> Shape:
        """Shape of the network's output."""
        return self.leaving(len(self.steps) - 1)

    @cached_property
    def array_shapes(self) -> tuple[tuple[Shape, ...], ...]:
        """Shapes of every layer's arrays."""
        return tuple(map(_array_shapes, self.layers, self.input_shapes))

    @cached_property
    def parameters(self) -> int:
        """Trainable parameters, as the papers count: without batch normalization's statistics."""
        return sum(map(_parameters, self.layers, self.input_shapes))

    @cached_property
    def readers(self) -> tuple[tuple[int, ...], ...]:
        """For each layer the positions of those that take its output."""
        readers: list[list[int]] = [[] for _ in self.steps]
        for position, step in enumerate(self.steps):
            for i in step.inputs:
                if i != INPUT:
                    readers[i].append(position)
        return tuple(map(tuple, readers))

    @cached_property
    def non_negative_inputs(self) -> tuple[bool, ...]:
        """For each layer whether its input is never negative, as far as is known."""
        entering: list[bool] = []
        leaving: list[bool] = []
        for step in self.steps:
            inputs = (self.non_negative_input if i == INPUT else leaving[i] for i in step.inputs)
            entering.append(all(inputs))
            leaving.append(step.layer.is_non_negative(entering[-1]))
        return tuple(entering)

    @cached_property
    def is_row(self) -> bool:
        """Whether the network is a row of layers, without blocks."""
        return not any(isinstance(node, Block) for node in self.row)

    def layer(self, position: int, kind: type[AnyLayer]) -> AnyLayer:
        """The layer at a position that is known to hold one of a kind."""
        layer = self.layers[position]
        assert isinstance(layer, kind)
        return layer

    def positions(self, kind: type[Layer]) -> list[int]:
        """Positions of the layers of a kind."""
        return [i for i, layer in enumerate(self.layers) if isinstance(layer, kind)]

    def consumer(self, position: int) -> int | None:
        """The layer with a kernel that alone reads the channels or units of this one.

        It is in the same row. None for the output layer, and if a layer in between mixes them,
        joins them with others, or is not the only one to read them.
        """
        while len(self.readers[position]) == 1:
            (position,) = self.readers[position]
            if isinstance(self.layers[position], KernelLayer):
                return position
            layer = self.layers[position]
            if not layer.keeps_channels_apart:
                return None
            if isinstance(layer, OnePixel) and len(self.shape_before_flatten(position)) > 1:
                return None  # what it takes for channels are those of many pixels
        return None

    def chain(self, position: int) -> list[int]:
        """Positions of the layers behind this one that nothing joins and that alone read another.

        Whatever they do can be done together with the layer at `position`.
        """
        found: list[int] = []
        while len(self.readers[position]) == 1:
            (position,) = self.readers[position]
            if isinstance(self.layers[position], Join):
                break
            found.append(position)
        return found

    def shape_before_flatten(self, position: int) -> Shape:
        """The shape of the input of the layer at `position`, before any flatten layer."""
        before = position
        while (before := self.steps[before].inputs[0]) != INPUT:
            layer = self.layers[before]
            if not (layer.is_elementwise or isinstance(layer, Flatten)):
                break
            if len(self.input_shapes[before]) > 1:
                return self.input_shapes[before]
        return self.input_shapes[position]

    def descendants(self, position: int) -> set[int]:
        """Positions of all layers that depend on the output of the one at `position`."""
        reached: set[int] = set()
        for i in range(position + 1, len(self.steps)):
            if not reached.isdisjoint(self.steps[i].inputs) or position in self.steps[i].inputs:
                reached.add(i)
        return reached

    def ancestors(self, position: int) -> set[int]:
        """Positions of all layers whose outputs the one at `position` depends on."""
        reached = {i for i in self.steps[position].inputs if i != INPUT}
        for i in range(position - 1, -1, -1):
            if i in reached:
                reached.update(j for j in self.steps[i].inputs if j != INPUT)
        return reached

    # --- places -----------------------------------------------------------------------------------

    @cached_property
    def places(self) -> tuple[Place, ...]:
        """What users call each position; a block's is that of the layer that joins its rows."""
        return tuple(place_of(self.row, step.path) for step in self.steps)

    def position(self, place: Place) -> int:
        """The position of a place.

        Raises:
            KeyError: there is no such place.
        """
        if place not in self.places:
            raise KeyError(place)
        return self.places.index(place)

    def block(self, position: int) -> Block | None:
        """The block whose rows the layer at `position` joins; None for all other layers."""
        node: Any = None
        row: Row = self.row
        path = self.steps[position].path
        for depth in range(0, len(path), 2):
            node = row[path[depth]]
            if depth + 1 < len(path):
                row = node.rows[path[depth + 1]]
        return node if isinstance(node, Block) else None

    # --- edits ------------------------------------------------------------------------------------

    def replace(self, position: int, *nodes: Layer | Block, count: int = 1) -> Topology:
        """The topology with others instead of the `count` layers of a row from `position` on."""
        return self._edit(position, lambda row, i: (*row[:i], *nodes, *row[i + count :]))

    def with_layers(self, changed: Mapping[int, Layer]) -> Topology:
        """The topology with other layers at some positions, all replaced at once."""
        row = self.row
        for position, layer in changed.items():
            row = edit(row, self.steps[position].path, partial(_replaced, layer=layer))
        return Topology(self.input_shape, row, self.non_negative_input)

    def insert(self, position: int, *nodes: Layer | Block) -> Topology:
        """The topology with layers inserted before the one at `position`, in its row."""
        return self._edit(position, lambda row, i: (*row[:i], *nodes, *row[i:]))

    def append(self, position: int, *nodes: Layer | Block) -> Topology:
        """The topology with layers inserted behind the one at `position`, in its row."""
        return self._edit(position, lambda row, i: (*row[: i + 1], *nodes, *row[i + 1 :]))

    def remove(self, position: int, count: int = 1) -> Topology:
        """The topology without the `count` layers of a row from `position` on."""
        return self.replace(position, count=count)

    def _edit(self, position: int, change: Any) -> Topology:
        row = edit(self.row, self.steps[position].path, change)
        return Topology(self.input_shape, row, self.non_negative_input)

    # --- JSON -------------------------------------------------------------------------------------

    def to_json(self) -> dict[str, Any]:
        """Plain values, for records."""
        return {
            "input_shape": list(self.input_shape),
            "non_negative_input": self.non_negative_input,
            "layers": row_to_json(self.row),
        }

    @classmethod
    def from_json(cls, spec: Mapping[str, Any]) -> Topology:
        """The topology that `to_json` wrote."""
        row = row_from_json(spec["layers"])
        return cls(tuple(spec["input_shape"]), row, spec.get("non_negative_input", False))


def _replaced(row: Row, index: int, layer: Layer) -> Row:
    return (*row[:index], layer, *row[index + 1 :])


def _array_shapes(layer: Layer, shape: Shape) -> tuple[Shape, ...]:
    return layer.array_shapes(shape)


def _parameters(layer: Layer, shape: Shape) -> int:
    return layer.parameters(shape)
