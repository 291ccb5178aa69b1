"""Zeros around a series or an image, or less of it; no arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from netsurgery.networks.layers.base import Layer, Shape
from netsurgery.networks.layers.windows import require_sides

Margins = tuple[tuple[int, int], ...]  # before and after each side


@dataclass(frozen=True)
class _WithMargins(Layer):
    """A layer that adds to the sides of a series or an image, or takes from them."""

    margins: Margins
    keeps_channels_apart: ClassVar[bool] = True
    sign: ClassVar[int]

    def __post_init__(self) -> None:  # JSON has lists only
        pairs = tuple((int(before), int(after)) for before, after in self.margins)
        object.__setattr__(self, "margins", pairs)

    @property
    def _listed(self) -> str:
        return ", ".join(f"{before}+{after}" for before, after in self.margins)

    def output_shape(self, shape: Shape) -> Shape:
        require_sides(self, shape)
        if len(self.margins) != len(shape) - 1:
            raise ValueError(
                f"{self} has margins of {len(self.margins)} sides, not those of {shape}"
            )
        pairs = zip(shape, self.margins, strict=False)
        sides = [side + self.sign * sum(pair) for side, pair in pairs]
        if min(sides) < 1:
            raise ValueError(f"{self} leaves nothing of its input {shape}")
        return (*sides, shape[-1])

    def is_non_negative(self, input_is_non_negative: bool) -> bool:
        return input_is_non_negative


@dataclass(frozen=True)
class ZeroPadding(_WithMargins):
    """Zeros before and after each side."""

    kind: ClassVar[str] = "zero_padding"
    sign: ClassVar[int] = 1

    def __str__(self) -> str:
        return f"zero padding {self._listed}"


@dataclass(frozen=True)
class Cropping(_WithMargins):
    """Without what is before and after each side."""

    kind: ClassVar[str] = "cropping"
    sign: ClassVar[int] = -1

    def __str__(self) -> str:
        return f"cropping {self._listed}"
