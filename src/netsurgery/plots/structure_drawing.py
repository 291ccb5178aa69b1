"""Draw an arranged network, from top to bottom or from left to right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.patches import Circle, FancyBboxPatch, PathPatch
from matplotlib.path import Path as Curve

from netsurgery.plots.layout import LABEL
from netsurgery.plots.structure_layout import Line, Placed
from netsurgery.plots.style import BLACK, DARK, GREY, WHITE, layer_colour

SMALL = 7.0  # points
TEXT_LINE = 0.15  # inches
NODE = 0.26  # inches: diameter of a join
BEND = 0.22  # inches: of the corners of a line around a row
SYMBOLS = {"add": "+", "multiply": "×", "concatenate": "‖"}  # noqa: RUF001


@dataclass(frozen=True)
class Drawing:
    """Axes in inches on which a network is drawn.

    Attributes:
        axes: their y axis points down.
        origin: where the network begins.
        sideways: from left to right, not from top to bottom.
    """

    axes: Axes
    origin: tuple[float, float] = (0.0, 0.0)
    sideways: bool = False

    def point(self, along: float, across: float) -> tuple[float, float]:
        """A position in a layout as one on the axes."""
        x, y = (along, across) if self.sideways else (across, along)
        return self.origin[0] + x, self.origin[1] + y

    def line(self, line: Line) -> None:
        """Draw a connection; around a row it goes out, along, and back."""
        (start, near), (end, far) = line.start, line.end
        if line.lane is None:
            places = [(start, near), (end, far)]
            codes = [Curve.MOVETO, Curve.LINETO]
        else:
            bend, lane = min(BEND, (end - start) / 3), line.lane
            places = [
                (start, near), (start, lane), (start + bend, lane),
                (end - bend, lane), (end, lane), (end, far),
            ]  # fmt: skip
            curve = [Curve.CURVE3, Curve.CURVE3]
            codes = [Curve.MOVETO, *curve, Curve.LINETO, *curve]
        path = Curve([self.point(*place) for place in places], codes)
        self.axes.add_patch(
            PathPatch(path, facecolor="none", edgecolor=GREY, linewidth=1.0, zorder=1)
        )

    def join(self, placed: Placed) -> None:
        """Draw the node of a layer that joins rows."""
        centre = self.point(placed.along, placed.across)
        size = {"radius": placed.width / 2, "linewidth": 0.8, "zorder": 2}
        self.axes.add_patch(Circle(centre, facecolor=WHITE, edgecolor=BLACK, **size))
        symbol = SYMBOLS.get(str(placed.part.layer), "?")
        self.axes.text(*centre, symbol, size=LABEL, ha="center", va="center_baseline", zorder=3)

    def box(self, placed: Placed, texts: Sequence[str]) -> None:
        """Draw a layer, with lines of text of which the first is larger."""
        colour = layer_colour(placed.part.layer)
        self.plain_box((placed.along, placed.across), (placed.length, placed.width), colour, texts)

    def plain_box(
        self,
        middle: tuple[float, float],
        size: tuple[float, float],
        colour: str,
        texts: Sequence[str],
    ) -> None:
        """Draw a box; its middle and size are along and across the network."""
        x, y = self.point(*middle)
        width, height = size if self.sideways else size[::-1]
        self.axes.add_patch(
            FancyBboxPatch(
                (x - width / 2, y - height / 2),
                width,
                height,
                boxstyle="round,pad=0,rounding_size=0.05",
                facecolor=colour,
                edgecolor=BLACK,
                linewidth=0.8,
                zorder=2,
            )
        )
        for i, text in enumerate(texts):
            self.axes.text(
                x,
                y + (i - (len(texts) - 1) / 2) * TEXT_LINE,
                text,
                size=SMALL if i else LABEL,
                color=DARK if i else BLACK,
                ha="center",
                va="center_baseline",
                zorder=3,
                parse_math=False,
            )
