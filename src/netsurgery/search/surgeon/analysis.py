"""The analysis of a network: which units of dense layers carry information (Surgeon, eq. 13)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np

from netsurgery.networks.inference import as_input, run_layers
from netsurgery.networks.layers import Dense
from netsurgery.networks.network import Network
from netsurgery.networks.topology import Topology
from netsurgery.surgery.channel_groups import channel_groups


class LayerScore(StrEnum):
    """What tells how many units of a layer carry information."""

    SINGULAR_VALUES = "singular_values"  # of its kernel (eq. 13)
    ACTIVATIONS = "activations"  # the principal components of its outputs on some samples


class MissingValues(StrEnum):
    """What the values are taken for that a layer with more units than inputs does not have."""

    IGNORE = "ignore"  # neither removable nor counted, against all units: as published
    COUNT = "count"  # against the values that there are, min(inputs, units)
    ZERO = "zero"  # values below the limits


@dataclass(frozen=True)
class Thresholds:
    """The rule for values that count as zero (eq. 13).

    Attributes:
        relative_threshold: eps1, relative to the layer's largest singular value.
        absolute_threshold: eps2.
        missing_values: what a layer with more units than inputs lacks.
    """

    relative_threshold: float
    absolute_threshold: float
    missing_values: MissingValues = MissingValues.IGNORE


@dataclass(frozen=True)
class Analysis:
    """The singular values of a dense layer, and what samples say of it if the search asks.

    Attributes:
        position: of the layer.
        inputs: rows of its kernel.
        units: columns of its kernel.
        singular_values: of the kernel, (min(inputs, units),), in descending order.
        components: principal components that explain its outputs on calibration samples.
        bic: Bayesian information criterion after each modification that it is scored by, and of the
            network itself (see `netsurgery.search.surgeon.criterion`).
    """

    position: int
    inputs: int
    units: int
    singular_values: tuple[float, ...]
    components: int | None = None
    bic: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Analysis:
        """Read what `dataclasses.asdict` gave."""
        return cls(**(dict(values) | {"singular_values": tuple(values["singular_values"])}))

    def limit(self, thresholds: Thresholds) -> float:
        """The smallest singular value that counts."""
        return max(
            thresholds.relative_threshold * self.singular_values[0], thresholds.absolute_threshold
        )

    def below(self, thresholds: Thresholds) -> int:
        """The number of singular values that count as zero."""
        return sum(value < self.limit(thresholds) for value in self.singular_values)

    def removable(self, thresholds: Thresholds) -> int:
        """How many units can be removed: n_r of eq. 13, or those that the samples do not need."""
        if self.components is not None:
            return self.units - self.components
        missing = self.units - len(self.singular_values)
        zeros = missing if thresholds.missing_values is MissingValues.ZERO else 0
        return self.below(thresholds) + zeros

    def share(self, thresholds: Thresholds) -> float:
        """What `removable` is a share of: the units, or the singular values that there are."""
        counts = thresholds.missing_values is MissingValues.COUNT and self.components is None
        whole = len(self.singular_values) if counts else self.units
        return self.removable(thresholds) / whole


def analyse(network: Network) -> list[Analysis]:
    """Compute the singular values of every dense layer, including the output layer."""
    analyses = []
    for position in network.topology.positions(Dense):
        kernel = network.weights[position][0].astype(np.float64)
        values = np.linalg.svd(kernel, compute_uv=False)
        # six digits: further ones depend on the linear algebra library
        rounded = tuple(float(f"{value:.6g}") for value in values)
        inputs, units = kernel.shape
        analyses.append(Analysis(position, inputs, units, rounded))
    return analyses


def hidden_layers(topology: Topology) -> list[int]:
    """The positions of all dense layers whose width can change: in a row, of all but the last."""
    owners = {group.owner for group in channel_groups(topology).groups}
    return [i for i in topology.positions(Dense) if i in owners]


def principal_components(network: Network, x: np.ndarray, explained: float) -> dict[int, int]:
    """How many principal components explain the outputs of each hidden dense layer.

    Args:
        network: whose layers compute the outputs.
        x: (n, *input_shape) samples as the network takes them.
        explained: the share of the variance that they explain, from 0 to 1.

    Returns:
        By position the smallest number of components, from 1 to the layer's units.
    """
    found, values, start = {}, as_input(x), 0
    for position in hidden_layers(network.topology):
        values = run_layers(network, values, start, position + 1)
        start = position + 1
        outputs = values[position].reshape(-1, values[position].shape[-1]).astype(np.float64)
        covariance = np.cov(outputs, rowvar=False).reshape(outputs.shape[-1], -1)
        variances = np.maximum(np.linalg.eigvalsh(covariance)[::-1], 0)
        total = variances.sum()
        shares = np.cumsum(variances) / total if total > 0 else np.ones(len(variances))
        found[position] = 1 + int(np.searchsorted(shares, explained - 1e-9))
    return found
