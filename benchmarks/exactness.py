"""How exact the exact operations are, on random networks with blocks.

    PYTHONPATH=src python -m benchmarks.exactness OUT.md [--networks 10000] [--keras 300]

Each network has residual blocks, branches and gates, of images, series or flat data, and the
weights and statistics of a trained one. Each operation changes it once, at a place drawn among
those where it says that it is exact, every other time with calibration samples. What the child
computes is compared with what the parent computes: by numpy in double precision, where only the
rounding of weights matters, and in single precision; where the operation is exact in training mode
as well, by TensorFlow in single precision, for every tenth network; by Keras, for the first ones.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
from tests.support.random_networks import branched, inputs, trained

from netsurgery.networks.inference import predict
from netsurgery.networks.layers import Dropout
from netsurgery.networks.network import Network
from netsurgery.surgery import OPERATIONS, Growth, Mutation, legal_mutations, mutate

IN_TRAINING = 10  # one of so many networks also in training mode
BATCH = 16

Computed = Callable[[Network, np.ndarray], np.ndarray]
Deviations = dict[str, dict[str, list[float]]]  # by operation, then by who computes


def exact_mutations(
    network: Network, rng: np.random.Generator
) -> Iterator[tuple[str, Mutation, Growth]]:
    """A name for the table and one mutation, of each operation that is exact somewhere."""
    topology = network.topology
    for operation in OPERATIONS:
        if not operation.takes_position:
            continue
        exact = [
            mutation
            for mutation in legal_mutations(topology, operations=[operation])
            if operation.is_exact(topology, mutation.at(topology))
        ]
        if not exact:
            continue
        mutation = exact[rng.integers(len(exact))]
        for growth in Growth if operation.accepts_noise else [Growth.COPIES]:
            suffix = f", {growth.value}" if operation.accepts_noise else ""
            yield f"`{operation}`{suffix}", mutation, growth


# --- who computes ---------------------------------------------------------------------------------


def in_double(network: Network, x: np.ndarray) -> np.ndarray:
    """By numpy, in inference mode."""
    return predict(network, x)


def in_single(network: Network, x: np.ndarray) -> np.ndarray:
    """By numpy, in inference mode."""
    return predict(network, x.astype(np.float32))


def in_training(network: Network, x: np.ndarray) -> np.ndarray:
    """By TensorFlow as searches do, in training mode and single precision."""
    import tensorflow as tf

    from netsurgery.training.forward import forward

    batch = tf.constant(x, tf.float32)
    return np.asarray(forward(network.topology, network.weights, batch, training=True).output)


def by_keras(network: Network, x: np.ndarray) -> np.ndarray:
    """By a Keras model of the network, in inference mode and single precision."""
    from netsurgery.keras_io.conversion import to_keras

    return np.asarray(to_keras(network)(x.astype(np.float32), training=False))


COMPUTED: dict[str, Computed] = {
    "double": in_double,
    "single": in_single,
    "training": in_training,
    "Keras": by_keras,
}


def measure(seeds: Iterable[int], keras: int) -> Deviations:
    """How far outputs of children are from those of parents, relative to the largest or 1.

    Args:
        seeds: of the networks.
        keras: seeds below it are for Keras as well.
    """
    found: Deviations = defaultdict(lambda: defaultdict(list))
    for seed in seeds:
        rng = np.random.default_rng(seed)
        network = trained(branched(rng), rng)
        topology = network.topology
        x, samples = inputs(topology, rng, BATCH), inputs(topology, rng, BATCH)
        drops = any(isinstance(layer, Dropout) for layer in topology.layers)
        before: dict[str, np.ndarray] = {}
        for name, mutation, growth in exact_mutations(network, rng):
            calibration = samples if seed % 2 else None
            child = mutate(network, mutation, rng, calibration=calibration, growth=growth).network
            promised = mutation.operation.is_exact_in_training(topology, mutation.at(topology))
            skipped = {"training": not promised or drops or seed % IN_TRAINING > 0}
            skipped["Keras"] = seed >= keras
            for how, compute in COMPUTED.items():
                if not skipped.get(how):
                    if how not in before:
                        before[how] = compute(network, x)
                    change = np.abs(compute(child, x) - before[how]).max()
                    found[name][how].append(float(change / max(1.0, np.abs(before[how]).max())))
    return found


def table(found: Deviations) -> str:
    """The largest deviations, as Markdown."""
    headings = ["operation", "networks", "double precision", "single precision"]
    headings += ["networks in training mode", "largest change", "networks in Keras"]
    lines = [[*headings, "largest change"], ["---"] + ["---:"] * len(headings)]
    order = {f"`{operation}`": i for i, operation in enumerate(OPERATIONS)}
    for name in sorted(found, key=lambda name: order[name.partition(",")[0]]):
        of = {how: found[name].get(how, []) for how in COMPUTED}
        count = {how: f"{len(values):,}" if values else "" for how, values in of.items()}
        worst = {how: _shown(values) for how, values in of.items()}
        line = [name, count["double"], worst["double"], worst["single"]]
        lines.append(
            [*line, *(cell[how] for how in ("training", "Keras") for cell in (count, worst))]
        )
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _shown(changes: list[float]) -> str:
    """The largest change, for the table."""
    largest = max(changes, default=None)
    return "" if largest is None else f"{largest:.1e}" if largest else "0"


def main() -> None:
    """Measure, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("out", type=Path)
    parser.add_argument("--networks", type=int, default=10_000)
    parser.add_argument("--keras", type=int, default=300)
    given = parser.parse_args()
    given.out.write_text(table(measure(range(given.networks), given.keras)) + "\n")


if __name__ == "__main__":
    main()
