"""Damage files of a search, and check that `netsurgery verify` lists them."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from benchmarks.faults.searches import Run

Random = np.random.Generator

ARTIFACTS = (
    "_data/*/data.json",
    "_data/*/x.npy",
    "_data/*/y.npy",
    "mlflow.db",
    "summary.csv",
    "summary.html",
    "s/seed0/split.npz",
    "s/seed0/split.json",
    "s/seed0/lineage.csv",
    "s/seed0/plots/*.svg",
    "s/seed0/final/model.keras",
    "s/seed0/final/network.keras",
    "s/seed0/final/*.json",
    "s/seed0/generation*/**/*.keras",
    "s/seed0/generation*/**/[gs]*[0-9].json",
    "s/seed0/generation*/**/plan.json",
    "s/seed0/generation*/winners.json",
    "s/seed0/generation*/tracked.json",
    "s/seed0/generation*/*.csv",
    "s/seed0/generation*/*.svg",
    "s/seed0/generation*/singular_values.json",
)


def damage(path: Path, rng: Random) -> None:
    """Truncate a file at a random position, or flip some of its bits."""
    content = bytearray(path.read_bytes())
    if rng.random() < 0.4:
        content = content[: rng.integers(len(content))]
    else:
        for at in rng.integers(len(content), size=rng.integers(1, 4)):
            content[at] ^= 1 << rng.integers(8)
    dates = path.stat()
    path.write_bytes(content)
    os.utime(path, ns=(dates.st_atime_ns, dates.st_mtime_ns))  # like damage by a disk


def damage_some(run: Run, rng: Random, count: int) -> list[Path]:
    """Damage some of the existing files, each of another kind."""
    found: list[Path] = []
    for pattern in rng.permutation(np.array(ARTIFACTS)):
        there = sorted(p for p in run.results.glob(str(pattern)) if not p.name.startswith("."))
        if there and len(found) < count:
            path = there[rng.integers(len(there))]
            before = path.read_bytes()
            damage(path, rng)
            if path.read_bytes() != before:
                found.append(path)
    return found


def unreported(run: Run, paths: list[Path]) -> list[str]:
    """The damaged files that `netsurgery verify` lists neither itself nor by their checksum file.

    Damage in unused space of a database, or in tables of others, cannot be detected.
    """
    from netsurgery.storage.mlflow_sqlite import find_damage

    _, output = run.verify()
    listed = {line.partition(": damaged")[0] for line in output.splitlines()}
    missing = []
    for path in paths:
        checksum_files = {str(p.relative_to(run.folder)) for p in path.parent.glob("*.json")}
        checksum_files |= {str((run.root / "final/summary.json").relative_to(run.folder))}
        if str(path.relative_to(run.folder)) in listed or checksum_files & listed:
            continue
        if path.name == "mlflow.db" and find_damage(path) is None:
            continue
        missing.append(path.name)
    return missing
