"""Draw the packages of netsurgery, from the import contract in pyproject.toml.

    python -m tools.draw_architecture

writes `docs/images/architecture.svg`. The order of the packages is the contract's; what each one
holds is the table of `docs/architecture.md`.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from xml.sax.saxutils import escape

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "architecture.md"
DRAWING = ROOT / "docs" / "images" / "architecture.svg"

ROW, GAP, LEFT, WIDTH = 30, 6, 56, 860  # pixels
NAME, TEXT = 16, 150  # pixels from the left edge of a box
PURE, OTHER = "#d7ece8", "#f1f1ee"
INK, SOFT, LINE = "#1f2b2a", "#46524f", "#9aa5a2"


def contracts() -> tuple[list[str], set[str]]:
    """The packages from top to bottom, and those that may not import TensorFlow or Snakemake."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    found = {each["type"]: each for each in settings["tool"]["importlinter"]["contracts"]}
    pure = {name.removeprefix("netsurgery.") for name in found["forbidden"]["source_modules"]}
    return list(found["layers"]["layers"]), pure


def descriptions() -> dict[str, str]:
    """What each package holds, by its name: the rows of the page's table."""
    rows = re.findall(r"^\| `(\w+)` \| (.+) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    return {name: re.sub(r"[`*]", "", text) for name, text in rows}


def text(x: int, y: int, content: str, fill: str, extra: str = "") -> str:
    """A line of text whose baseline is at y."""
    return f'<text x="{x}" y="{y}" fill="{fill}" {extra}>{escape(content)}</text>'


def draw(layers: list[str], pure: set[str], holds: dict[str, str]) -> str:
    """The drawing as SVG: one box per package, with an arrow in the direction of imports."""
    top, step = 44, ROW + GAP
    bottom = top + len(layers) * step - GAP
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {LEFT + WIDTH + 16} {bottom + 44}"'
        ' font-family="Helvetica, Arial, sans-serif" font-size="13">',
        "<title>Packages of netsurgery, from the top layer down</title>",
        '<rect width="100%" height="100%" fill="#ffffff"/>',
        text(LEFT, 26, "A package imports only from packages below it", INK, 'font-weight="bold"'),
        f'<path d="M28 {top} V{bottom - 8}" stroke="{LINE}" stroke-width="2"/>',
        f'<path d="M22 {bottom - 10} h12 l-6 10 z" fill="{LINE}"/>',
        text(20, top + 60, "imports", SOFT, f'transform="rotate(-90 20 {top + 60})"'),
    ]
    for number, name in enumerate(layers):
        y = top + number * step
        fill = PURE if name in pure else OTHER
        lines += [
            f'<rect x="{LEFT}" y="{y}" width="{WIDTH}" height="{ROW}" rx="4" fill="{fill}"/>',
            text(LEFT + NAME, y + 20, name, INK, 'font-weight="bold"'),
            text(LEFT + TEXT, y + 20, holds[name], SOFT),
        ]
    legend = "imports neither TensorFlow nor Snakemake (checked)"
    lines += [
        f'<rect x="{LEFT}" y="{bottom + 16}" width="16" height="16" rx="3" fill="{PURE}"/>',
        text(LEFT + 24, bottom + 29, legend, SOFT),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Write the drawing."""
    DRAWING.write_text(draw(*contracts(), descriptions()), encoding="utf-8")


if __name__ == "__main__":
    main()
