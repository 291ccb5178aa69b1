"""The same series, saved in every form that users have them in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from netsurgery import datasets
from netsurgery.config import loading
from tests.support.factories import SCHEMA

LABELS = [("bad", "good")[i % 2] for i in range(8)]
X = np.random.default_rng(0).normal(5, 2, (8, 6, 1)).round(3)  # (series, steps, channels)


def prepared(folder: Path, **settings: Any) -> tuple[np.ndarray, np.ndarray, dict[str, Any]]:
    """Prepare series that a configuration names; x, y and their description."""
    given = {"datasets": {"mine": {"source": "series", **settings}}}
    config = loading.load({**given, "searches": {"s": {"dataset": "mine"}}}, SCHEMA)
    datasets.prepare("mine", config.datasets["mine"].settings, folder / "prepared")
    x, y = (np.load(folder / "prepared" / f"{stem}.npy") for stem in "xy")
    return x, y, datasets.describe(folder / "prepared")


def rows(header: list[str], lines: list[list[Any]], delimiter: str = ",") -> str:
    """The text of a table."""
    return "".join(f"{delimiter.join(map(str, line))}\n" for line in [header, *lines] if line)


def wide(path: Path) -> dict[str, Any]:
    lines = [[*x[:, 0], label] for x, label in zip(X, LABELS, strict=True)]
    path.write_text(rows([*(f"t{i}" for i in range(6)), "label"], lines))
    return {"path": str(path), "target": "label"}


def ucr(path: Path) -> dict[str, Any]:
    lines = [[label, *x[:, 0]] for x, label in zip(X, LABELS, strict=True)]
    path.write_text(rows([], lines, "\t"))
    return {"path": str(path)}


def long(path: Path) -> dict[str, Any]:
    lines = [
        [i, 0.1 * step, X[i, step, 0], LABELS[i], f"p{i // 4}"]
        for step in range(6)
        for i in range(8)
    ]
    np.random.default_rng(1).shuffle(lines)
    lines.sort(key=lambda line: line[0])  # the order of series, not of steps
    path.write_text(rows(["run", "t", "x", "label", "person"], lines, ";"))
    return {"path": str(path), "id": "run", "time": "t", "target": "label", "group": "person"}


def ts(path: Path) -> dict[str, Any]:
    lines = [f"{','.join(map(str, x[:, 0]))}:{label}" for x, label in zip(X, LABELS, strict=True)]
    header = "# a comment\n@problemName x\n@classLabel true bad good\n@data\n"
    path.write_text(header + "\n".join(lines))
    return {"path": str(path)}


def folder(path: Path) -> dict[str, Any]:
    for i, (x, label) in enumerate(zip(X, LABELS, strict=True)):
        place = path / label / f"p{i // 4}"
        place.mkdir(parents=True, exist_ok=True)
        (place / f"r{i}.csv").write_text(rows(["x"], x.tolist()))
        (place / "Thumbs.db").write_bytes(b"")
    return {"path": str(path), "group": "folder"}


def npz(path: Path) -> dict[str, Any]:
    np.savez(path, x_train=X, y_train=LABELS)
    return {"path": str(path)}


FORMS = {
    "wide.csv": wide,
    "ucr.tsv": ucr,
    "long.csv": long,
    "x.ts": ts,
    "recordings": folder,
    "x.npz": npz,
}
