"""From the times of some networks to the figures that predict those of others.

A handful of networks does not tell all kinds of work apart. So a fit starts from the figures of a
reference machine, which say how the kinds compare, and changes them as far as times demand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from netsurgery.networks import work
from netsurgery.networks.topology import Topology
from netsurgery.objectives.training_settings import BFLOAT16, FLOAT32
from netsurgery.search.speed import SCORING, Figures

# seconds on one core of an AMD EPYC with AVX512-BF16, fitted to 40 networks
_UNITS = {
    work.BATCH: (1.8e-4, 2.5e-4, 8.3e-4),
    work.LAYERS: (4.0e-5, 1.0e-4, 4.0e-5),
    work.PARAMETERS: (2.9e-9, 6.1e-9, 1.6e-9),
    work.CONVOLUTIONS: (1.8e-11, 8.8e-12, 6.3e-12),
    work.PIXELS: (5.6e-10, 3.3e-10, 1.2e-10),
    work.AVERAGED: (7.1e-9, 4.0e-9, 6.7e-10),
    work.DEPTHWISE: (3.6e-10, 4.9e-10, 2.5e-10),
    work.PRODUCTS: (1.9e-11, 1.2e-11, 8.7e-12),
    work.UNEVEN: (1.7e-11, 2.3e-11, 9.7e-12),
    work.NORMALIZED: (2.5e-9, 2.3e-9, 5.9e-10),
    work.UNALIGNED: (6.2e-9, 1.5e-8, 1.2e-9),
    work.POOLED: (1.1e-9, 7.9e-10, 1.6e-9),
    work.OTHERS: (1.0e-9, 8.1e-10, 1.0e-10),
}
REFERENCE: Mapping[str, Figures] = {
    name: {kind: seconds[i] for kind, seconds in _UNITS.items()}
    for i, name in enumerate((FLOAT32, BFLOAT16, SCORING))
}
TRUST = 0.1  # in the reference: how much a change of a figure counts against a relative error


@dataclass(frozen=True)
class Timing:
    """The seconds of a network, by precision, and as `SCORING`."""

    topology: Topology
    seconds: Mapping[str, float]


def fit(timings: Sequence[Timing], samples: Mapping[str, int]) -> dict[str, Figures]:
    """The figures that predict some times with small relative errors.

    Args:
        timings: of networks that differ in width and depth, all with times of the same names.
        samples: in a batch and, as `SCORING`, in the validation samples.
    """
    return {
        name: _fit([(each.topology, each.seconds[name]) for each in timings], name, count)
        for name, count in samples.items()
    }


def _fit(times: Sequence[tuple[Topology, float]], name: str, samples: int) -> Figures:
    """Those of a precision or of scoring, by least squares."""
    reference = REFERENCE[name]
    known = {
        kind: each * (samples if kind in work.PER_SAMPLE else 1) for kind, each in reference.items()
    }
    works = [work.work_of(topology) for topology, _ in times]
    seconds = np.array([each for _, each in times])
    # of each kind, as parts of what was measured
    parts = np.array([[known[kind] * each[kind] for kind in known] for each in works])
    parts /= seconds[:, None]
    usual = 1 / np.median(parts.sum(1))
    trust = TRUST**0.5 * np.eye(len(known))
    left, right = np.vstack([parts * usual, trust]), np.append(np.ones(len(times)), trust.sum(1))
    factors = usual * np.maximum(np.linalg.lstsq(left, right)[0], 0.0)
    return {kind: float(known[kind] * factor) for kind, factor in zip(known, factors, strict=True)}
