"""Layers with several inputs, which end the rows of a block; no arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from netsurgery.networks.layers.base import Layer, Shape


class Join(Layer):
    """A layer that makes one output of several inputs.

    Attributes:
        function: what blocks call it.
        has_channels_in_common: channel i of the output depends on channel i of each input alone.
    """

    function: ClassVar[str]
    has_channels_in_common: ClassVar[bool] = True

    def __str__(self) -> str:
        return self.function

    def output_shape(self, shape: Shape, *others: Shape) -> Shape:
        if any(other != shape for other in others):
            raise ValueError(f"{self} needs inputs of one shape, not {_listed(shape, *others)}")
        return shape

    def is_non_negative(self, input_is_non_negative: bool) -> bool:
        return input_is_non_negative


@dataclass(frozen=True)
class Add(Join):
    """The sum of its inputs."""

    kind: ClassVar[str] = "add"
    function: ClassVar[str] = "add"


@dataclass(frozen=True)
class Multiply(Join):
    """The product of its inputs; one may be a gate: a number per channel for all pixels."""

    kind: ClassVar[str] = "multiply"
    function: ClassVar[str] = "multiply"

    def output_shape(self, shape: Shape, *others: Shape) -> Shape:
        whole = max((shape, *others), key=_values_per_channel)
        gate = (1,) * (len(whole) - 1) + whole[-1:]
        if any(each not in (whole, gate, whole[-1:]) for each in (shape, *others)):
            raise ValueError(
                f"{self} needs inputs of one shape, or one number per channel, not"
                f" {_listed(shape, *others)}"
            )
        return whole


@dataclass(frozen=True)
class Concatenate(Join):
    """The channels of its inputs one after the other."""

    kind: ClassVar[str] = "concatenate"
    function: ClassVar[str] = "concatenate"
    has_channels_in_common: ClassVar[bool] = False

    def output_shape(self, shape: Shape, *others: Shape) -> Shape:
        if any(other[:-1] != shape[:-1] for other in others):
            raise ValueError(
                f"{self} needs inputs that differ in their channels only, not"
                f" {_listed(shape, *others)}"
            )
        return (*shape[:-1], sum(each[-1] for each in (shape, *others)))


JOINS: dict[str, Join] = {join.function: join for join in (Add(), Concatenate(), Multiply())}


def _values_per_channel(shape: Shape) -> tuple[int, int]:
    sides = 1
    for side in shape[:-1]:
        sides *= side
    return sides, len(shape)


def _listed(*shapes: Sequence[int]) -> str:
    return " and ".join(str(tuple(shape)) for shape in shapes)
