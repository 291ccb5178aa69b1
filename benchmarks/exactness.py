"""How exact the exact operations are, on random networks with blocks.

    python -m benchmarks.exactness OUT.md [--networks 10000]

Each network has residual blocks, branches and gates, of images, series or flat data, and the
weights and statistics of a trained one. Each operation changes it once, at a place drawn among
those where it says that it is exact, every other time with calibration samples. In inference mode
numpy computes in double precision, so that only the rounding of weights matters; in training mode
TensorFlow in single precision, for every tenth network.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from tests.support.exactness import relative_change
from tests.support.random_networks import branched, inputs, trained

from netsurgery.networks.layers import Dropout
from netsurgery.networks.network import Network
from netsurgery.surgery import OPERATIONS, Mutation, Operation, legal_mutations, mutate

IN_TRAINING = 10  # one of so many networks also in training mode
BATCH = 16


@dataclass
class Deviations:
    """What one operation changed, relative to the largest output or 1."""

    inference: list[float] = field(default_factory=list)
    training: list[float] = field(default_factory=list)


def exact_mutations(network: Network, rng: np.random.Generator) -> Iterator[Mutation]:
    """One mutation of each operation that is exact somewhere."""
    topology = network.topology
    for operation in OPERATIONS:
        if not operation.takes_position:
            continue
        exact = [
            mutation
            for mutation in legal_mutations(topology, operations=[operation])
            if operation.is_exact(topology, mutation.at(topology))
        ]
        if exact:
            yield exact[rng.integers(len(exact))]


def training_change(child: Network, parent: Network, x: np.ndarray) -> float:
    """As `relative_change`, in training mode and single precision."""
    import tensorflow as tf

    from netsurgery.training.forward import forward

    after, before = (
        forward(n.topology, n.weights, tf.constant(x, tf.float32), training=True)[0].numpy()
        for n in (child, parent)
    )
    return float(np.abs(after - before).max() / max(1.0, np.abs(before).max()))


def measure(networks: int) -> dict[Operation, Deviations]:
    """The deviations of all operations."""
    found: dict[Operation, Deviations] = defaultdict(Deviations)
    for seed in range(networks):
        rng = np.random.default_rng(seed)
        network = trained(branched(rng), rng)
        topology = network.topology
        x, samples = inputs(topology, rng), inputs(topology, rng, BATCH)
        drops = any(isinstance(layer, Dropout) for layer in topology.layers)
        for mutation in exact_mutations(network, rng):
            calibration = samples if seed % 2 else None
            child = mutate(network, mutation, rng, calibration=calibration).network
            operation = mutation.operation
            found[operation].inference.append(relative_change(child, network, x))
            promised = operation.is_exact_in_training(topology, mutation.at(topology))
            if promised and not drops and seed % IN_TRAINING == 0:
                batch = inputs(topology, rng, BATCH)
                found[operation].training.append(training_change(child, network, batch))
    return found


def table(found: dict[Operation, Deviations]) -> str:
    """The largest deviations, as Markdown."""
    lines = [
        "| operation | mutations | largest change, inference | in training | largest change |",
        "|---|---:|---:|---:|---:|",
    ]
    for operation in OPERATIONS:
        if operation in found:
            each = found[operation]
            training = f"{max(each.training):.1e}" if each.training else ""
            lines.append(
                f"| `{operation}` | {len(each.inference):,} | {max(each.inference):.1e}"
                f" | {len(each.training) or ''} | {training} |"
            )
    return "\n".join(lines)


def main() -> None:
    """Measure, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("out", type=Path)
    parser.add_argument("--networks", type=int, default=10_000)
    given = parser.parse_args()
    given.out.write_text(table(measure(given.networks)) + "\n")


if __name__ == "__main__":
    main()
