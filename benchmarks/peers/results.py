"""The result of a run: one JSON file each, written whole."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Result:
    """What a peer reached on a data set with a seed.

    Attributes:
        allowed: processor seconds that it was to take.
        seconds: processor seconds that it took, from when its libraries and the data were loaded
            until its model was chosen.
        all_seconds: processor seconds of the command, from its start to its end.
        wall_seconds: of the command.
        accuracy: on the test samples; None if it failed.
        parameters: of the model, statistics of normalization included; None if it is no network.
        note: what it chose, or why it failed.
    """

    data_set: str
    seed: int
    peer: str
    allowed: float
    seconds: float
    all_seconds: float
    wall_seconds: float
    accuracy: float | None
    parameters: int | None
    note: str


def path_of(folder: Path, data_set: str, peer: str, seed: int) -> Path:
    """The file of a run."""
    return folder / "runs" / f"{data_set}-{peer}-seed{seed}.json"


def write(folder: Path, result: Result) -> None:
    """Write the file of a run; it appears with all of its content."""
    path = path_of(folder, result.data_set, result.peer, result.seed)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".part")
    temporary.write_text(json.dumps(asdict(result)) + "\n", encoding="utf-8")
    os.replace(temporary, path)


def read(folder: Path) -> Iterator[Result]:
    """The results of all runs so far, in the order of their names."""
    for path in sorted((folder / "runs").glob("*.json")):
        yield Result(**json.loads(path.read_text(encoding="utf-8")))
