"""Tables and a plot of the measured run times."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.speed.time_breakdown import DESCRIPTIONS, PARTS
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
    "digits-long": "digits, small CNN, rounds of 100 epochs",
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
    """All tables in Markdown."""
    columns = ["epochs", "jobs", "search", "script", "speed-up", "training only", "efficiency"]
    columns += ["efficiency at best speed", "overhead per job"]
    lines = _head("workload", "cores", *columns)
    for name, cores, run, workload in _rows(found):
        seconds, script = run["seconds"], workload["script"]
        compared = f"{script:.0f} s | {script / seconds:.1f}" if script else "- | -"
        lines.append(
            f"| {TITLES[name]} | {cores} | {workload['epochs']:.0f} | {run['jobs']} "
            f"| {seconds:.0f} s | {compared} "
            f"| {run['training_only']:.0f} s | {run['training_only'] / seconds:.0%} "
            f"| {run['best_speed'] / seconds:.0%} | {run['overhead']:.2f} s |"
        )
    lines += ["", *_head("workload", "cores", *PARTS)]
    for name, cores, run, _ in _rows(found):
        whole = sum(run["parts"].values())
        shares = " | ".join(f"{run['parts'][part] / whole:.1%}" for part in PARTS)
        lines.append(f"| {TITLES[name]} | {cores} | {shares} |")
    lines += [
        "",
        *_head("workload", "cores", "core-seconds of workflow per job (jobs), by generation"),
    ]
    for name, cores, run, _ in _rows(found):
        entries = run["generations"].values()
        each = ", ".join(f"{entry['workflow']:.2f} ({entry['jobs']})" for entry in entries)
        lines.append(f"| {TITLES[name]} | {cores} | {each} |")
    return "\n".join(lines) + "\n"


@style.styled
def plot(found: Mapping[str, Any], path: Path) -> None:
    """Plot stacked bars of each run as shares of the script's time, with the lower bound."""
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
        bound = run["training_only"] / workload["script"]
        axes.plot([bound] * 2, [y - 0.42, y + 0.42], color=style.BLACK, linewidth=2)
        axes.text(left + 0.01, y, f"{run['seconds']:.0f} s", va="center", size=9)
    axes.set_xlim(0, 1.12 * axes.dataLim.x1)  # with room for the labels
    labels = [f"{TITLES[name]}, {cores} core{'s' * (cores > 1)}" for name, cores, _, _ in rows]
    axes.set_yticks(range(len(rows)), labels)
    axes.invert_yaxis()
    axes.grid(axis="x")
    axes.grid(visible=False, axis="y")
    axes.set_xlabel("time of the whole search as a share of the script's")
    entries: list[Artist] = [Patch(color=COLOURS[part], label=part) for part in PARTS]
    entries.append(layout.legend_entry("lower bound: training only", style.BLACK, 2))
    figure.legend(handles=entries, loc="upper center", ncols=5, bbox_to_anchor=(0.5, 1.0))
    figure.savefig(path)


def write(found: Mapping[str, Any], folder: Path) -> None:
    """Write `speed.md` and `speed.png`."""
    legend = "\n".join(f"- {part}: {DESCRIPTIONS[part]}" for part in PARTS)
    (folder / "speed.md").write_text(f"{table(found)}\n{legend}\n", encoding="utf-8")
    if any(workload["script"] for workload in found.values()):
        plot(found, folder / "speed.png")
