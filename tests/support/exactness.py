"""How exact growth is: the change of the outputs of random networks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from netsurgery.networks.inference import predict
from netsurgery.networks.network import Network
from netsurgery.networks.topology import Topology
from netsurgery.surgery import Mutation, is_exact, legal_mutations, mutate
from tests.support.random_networks import inputs, trained, varied


@dataclass(frozen=True)
class Change:
    """The change of a random network's output by one exact mutation.

    Attributes:
        seed: of the network.
        mutation: the mutation.
        relative: see `relative_change`.
    """

    seed: int
    mutation: Mutation
    relative: float


def relative_change(child: Network, parent: Network, x: np.ndarray) -> float:
    """The largest change of an output for a batch x, relative to the largest output or 1."""
    before = predict(parent, x)
    return float(np.abs(predict(child, x) - before).max() / max(1.0, np.abs(before).max()))


def changes(
    seeds: range, drawn: Callable[[np.random.Generator], Topology] = varied
) -> Iterator[Change]:
    """The changes by all exact mutations of one random network per seed."""
    for seed in seeds:
        rng = np.random.default_rng(seed)
        network = trained(drawn(rng), rng)
        x = inputs(network.topology, rng)
        for mutation in legal_mutations(network.topology):
            if mutation.position is not None and is_exact(network.topology, mutation):
                child = mutate(network, mutation, rng).network
                yield Change(seed, mutation, relative_change(child, network, x))
