"""Run all peers on all data sets, and skip what is there.

    python -m benchmarks.peers OUTPUT [--data FOLDER] [--sets digits ...] [--peers recipe ...]
                               [--seeds 0 1 2] [--seconds 60]

It runs in the peers' environment (`make .venv-peers/.ready`), one peer at a time, on one thread.
Each run is a file in `OUTPUT/runs`. FOLDER may hold `mnist10k.npz`, `cifar10_15k.npz`,
`adult-train.csv` and `adult-test.csv`; what is missing is skipped.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from benchmarks.peers import arbor, data_sets, results
from benchmarks.peers.data_sets import DATA_SETS, DataSet
from benchmarks.peers.processes import ROOT, CommandError, adopt_orphans, measured
from benchmarks.peers.results import Result

PEERS = (arbor.NAME, "recipe", "hyperband", "tpe", "auto_model", "boosting")


def _has(data_set: DataSet, peer: str) -> bool:
    return peer != "boosting" or data_set.boosting


def _is_done(path: Path, allowed: float) -> bool:
    if not path.exists():
        return False
    found = json.loads(path.read_text(encoding="utf-8"))
    return found["accuracy"] is not None and found["allowed"] == allowed


def _run(output: Path, split: Path, name: str, peer: str, allowed: float, seed: int) -> Result:
    """Run a peer once."""
    start = (name, seed, peer, allowed)
    try:
        if peer == arbor.NAME:
            found = arbor.run(name, split, output / "arbor", allowed, seed)
            times = (found.seconds, found.taken.seconds, found.taken.wall_seconds)
            return Result(*start, *times, found.accuracy, found.parameters, found.note)
        given = {"folder": str(split), "peer": peer, "data_set": name, "seed": seed}
        command = [sys.executable, "-m", "benchmarks.peers.run_peer"]
        log = output / "logs" / f"{name}-{peer}-seed{seed}.txt"
        log.parent.mkdir(parents=True, exist_ok=True)
        taken = measured([*command, json.dumps(given | {"allowed": allowed})], ROOT, log)
        last = json.loads(taken.last_line)
    except CommandError as error:
        return Result(*start, 0, 0, 0, None, None, str(error))
    times = (last["seconds"], taken.seconds, taken.wall_seconds)
    return Result(*start, *times, last["accuracy"], last["parameters"], last["note"])


def main() -> None:
    """Run what is not there yet."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("output", type=Path)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--sets", nargs="+", choices=DATA_SETS, default=list(DATA_SETS))
    parser.add_argument("--peers", nargs="+", choices=PEERS, default=list(PEERS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--seconds", type=float, help="processor seconds of each run")
    given = parser.parse_args()
    output = given.output.resolve()
    adopt_orphans()
    for name in given.sets:
        allowed = given.seconds or DATA_SETS[name].seconds
        for seed in given.seeds:
            split = output / "data" / f"{name}-seed{seed}"
            try:
                data_sets.make(name, given.data, split, seed)
            except data_sets.NotHereError as error:
                print(f"{name}: skipped, {error}", flush=True)
                break
            for peer in given.peers:
                path = results.path_of(output, name, peer, seed)
                if _has(DATA_SETS[name], peer) and not _is_done(path, allowed):
                    result = _run(output, split, name, peer, allowed, seed)
                    results.write(output, result)
                    print(_line(result), flush=True)


def _line(result: Result) -> str:
    start = f"{result.data_set} seed {result.seed} {result.peer}:"
    if result.accuracy is None:
        return f"{start} failed, {result.note}"
    size = "" if result.parameters is None else f"{result.parameters} parameters, "
    times = f"{result.seconds:.0f} s ({result.all_seconds:.0f} s in all)"
    return f"{start} {100 * result.accuracy:.1f} %, {size}{times}, {result.note}"


if __name__ == "__main__":
    main()
