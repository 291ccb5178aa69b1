"""Run a peer once: `python -m benchmarks.peers.run_peer JSON`, for `benchmarks.peers`."""

from __future__ import annotations

import importlib
import json
import sys
import tempfile
from pathlib import Path

import numpy as np
from benchmarks.peers.task import Clock, Task


def main() -> None:
    """Run the peer, and print what it reached as the last line."""
    given = json.loads(sys.argv[1])
    folder = Path(given["folder"])
    module = importlib.import_module(f"benchmarks.peers.{given['peer']}")
    with (
        np.load(folder / "arrays.npz") as arrays,
        tempfile.TemporaryDirectory(dir=folder) as scratch,
    ):
        task = Task(given["data_set"], dict(arrays), folder, Path(scratch), given["seed"])
        _ = task.inputs
        if "keras" in sys.modules:
            sys.modules["keras"].utils.set_random_seed(task.seed)
        clock = Clock(given["allowed"])
        outcome = module.run(task, clock)
        seconds = clock.seconds
        accuracy = float((outcome.predict() == task.labels("test")).mean())
    found = {"seconds": seconds, "accuracy": accuracy}
    print(json.dumps(found | {"parameters": outcome.parameters, "note": outcome.note}))


if __name__ == "__main__":
    main()
