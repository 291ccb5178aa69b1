"""What the measurements of speed say: a table, and a picture of where the time went."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.speed.time_breakdown import PARTS, WORDS
from matplotlib.artist import Artist
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from netsurgery.plots import layout, style

COLOURS = {
    "start-up": style.GREY,
    "data": style.YELLOW,
    "build": style.ORANGE,
    "training": style.BLUE,
    "validation": style.SKY,
    "files": style.PURPLE,
    "workflow": style.VERMILLION,
    "idle": style.PALE,
}
TITLES = {
    "digits": "digits, small CNN",
    "digits-long": "digits, small CNN, longer rounds",
    "mnist": "MNIST excerpt, medium CNN",
    "cifar-cnn": "45,000 colour images, small CNN",
    "cifar-dense": "45,000 colour images, large dense network",
    "cifar-cnn-long": "45,000 colour images, small CNN, longer",
    "cifar-dense-long": "45,000 colour images, large dense network, longer",
}


def _rows(found: Mapping[str, Any]) -> list[tuple[str, int, dict[str, Any], dict[str, Any]]]:
    return [
        (name, int(cores), run, workload)
        for name, workload in found.items()
        for cores, run in workload["cores"].items()
    ]


def _head(*columns: str) -> list[str]:
    return [f"| {' | '.join(columns)} |", f"| --- |{' ---: |' * (len(columns) - 1)}"]


def table(found: Mapping[str, Any]) -> str:
    """Both tables, in Markdown."""
    columns = ["epochs", "jobs", "seconds", "script", "times faster", "steps alone", "reached"]
    columns += ["at every topology's best", "beyond epochs, a job"]
    lines = _head("workload", "cores", *columns)
    for name, cores, run, workload in _rows(found):
        seconds, script = run["seconds"], workload["script"]
        compared = f"{script:.0f} s | {script / seconds:.1f}" if script else "- | -"
        lines.append(
            f"| {TITLES[name]} | {cores} | {workload['epochs']:.0f} | {run['jobs']} "
            f"| {seconds:.0f} s | {compared} | {run['alone']:.0f} s | {run['alone'] / seconds:.0%} "
            f"| {run['least'] / seconds:.0%} | {run['beyond_epochs']:.2f} s |"
        )
    lines += ["", *_head("workload", "cores", *PARTS)]
    for name, cores, run, _ in _rows(found):
        whole = sum(run["parts"].values())
        shares = " | ".join(f"{run['parts'][part] / whole:.1%}" for part in PARTS)
        lines.append(f"| {TITLES[name]} | {cores} | {shares} |")
    lines += [
        "",
        *_head("workload", "cores", "workflow's core-seconds for a job (jobs), by generation"),
    ]
    for name, cores, run, _ in _rows(found):
        entries = run["generations"].values()
        each = ", ".join(f"{entry['workflow']:.2f} ({entry['jobs']})" for entry in entries)
        lines.append(f"| {TITLES[name]} | {cores} | {each} |")
    return "\n".join(lines) + "\n"


@style.styled
def picture(found: Mapping[str, Any], path: Path) -> None:
    """Stacked bars of each run, as shares of a script's time, and the least possible."""
    rows = [row for row in _rows(found) if row[3]["script"]]
    figure = Figure(figsize=(10, 1.4 + 0.55 * len(rows)))
    axes = figure.add_axes((0.4, 0.9 / figure.get_figheight(), 0.56, 0))
    height = 1 - 1.55 / figure.get_figheight()
    axes.set_position((0.4, 0.8 / figure.get_figheight(), 0.56, height))
    for y, (_, cores, run, workload) in enumerate(rows):
        left = 0.0
        for part in PARTS:
            width = run["parts"][part] / cores / workload["script"]
            axes.barh(y, width, 0.6, left, color=COLOURS[part])
            left += width
        alone = run["alone"] / workload["script"]
        axes.plot([alone] * 2, [y - 0.42, y + 0.42], color=style.BLACK, linewidth=2)
        axes.text(left + 0.01, y, f"{run['seconds']:.0f} s", va="center", size=9)
    axes.set_xlim(0, 1.12 * axes.dataLim.x1)  # with room for the labels
    labels = [f"{TITLES[name]}, {cores} core{'s' * (cores > 1)}" for name, cores, _, _ in rows]
    axes.set_yticks(range(len(rows)), labels)
    axes.invert_yaxis()
    axes.grid(axis="x")
    axes.grid(visible=False, axis="y")
    axes.set_xlabel("time of the whole search, as a share of the script's")
    keys: list[Artist] = [Patch(color=COLOURS[part], label=part) for part in PARTS]
    keys.append(layout.legend_entry("training steps alone, on all cores", style.BLACK, 2))
    figure.legend(handles=keys, loc="upper center", ncols=5, bbox_to_anchor=(0.5, 1.0))
    figure.savefig(path)


def write(found: Mapping[str, Any], folder: Path) -> None:
    """Write `speed.md` and `speed.png`."""
    legend = "\n".join(f"- {part}: {WORDS[part]}" for part in PARTS)
    (folder / "speed.md").write_text(f"{table(found)}\n{legend}\n", encoding="utf-8")
    if any(workload["script"] for workload in found.values()):
        picture(found, folder / "speed.png")
