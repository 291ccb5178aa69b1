"""The Bayesian information criterion of networks, with the likelihood of samples (Surgeon, eq. 14).

The paper keeps only the number of parameters of it (eq. 15). Here a modification is performed and
the likelihood computed on calibration samples, which stand for all training samples:
BIC = ln n * k - 2 ln L, for classes and labels with their probabilities, for numbers with normally
distributed errors of the variance that the samples show.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from netsurgery.networks.inference import predict
from netsurgery.networks.layers import Dense
from netsurgery.networks.network import Network
from netsurgery.search.calibration import CalibrationSamples
from netsurgery.surgery import Mutation, mutate
from netsurgery.surgery.settings import SurgerySettings

SELF = "identity"  # the key of the network itself
SMALLEST = 1e-12  # probability or variance


def key_of(mutation: Mutation) -> str:
    """What distinguishes the modifications that a layer is scored for."""
    width = "" if mutation.width is None else f" {mutation.width}"
    return f"{mutation.operation}{width}"


def deviance(network: Network, samples: CalibrationSamples) -> float:
    """-2 ln L per sample, up to a constant for numbers."""
    outputs = predict(network, samples.inputs).astype(np.float64)
    if not np.isfinite(outputs).all():
        return math.inf
    if network.topology.layer(-1, Dense).activation == "sigmoid":  # labels, each for itself
        likely = np.where(samples.targets > 0, outputs, 1 - outputs)
        return float(-2 * np.log(np.maximum(likely, SMALLEST)).sum(axis=1).mean())
    if samples.targets.ndim > 1:
        variance = np.square(outputs - samples.targets).mean(axis=0)
        return float(np.log(np.maximum(variance, SMALLEST)).sum())
    if network.topology.layer(-1, Dense).activation == "linear":  # logits
        shifted = np.exp(outputs - outputs.max(axis=1, keepdims=True))
        outputs = shifted / shifted.sum(axis=1, keepdims=True)
    likely = outputs[np.arange(len(outputs)), samples.targets]
    return float(-2 * np.log(np.maximum(likely, SMALLEST)).mean())


def bic(network: Network, samples: CalibrationSamples) -> float:
    """The criterion (eq. 14) of a network; less is better."""
    n, k = samples.total, network.topology.parameters
    # six digits: further ones depend on the linear algebra library
    return float(f"{math.log(n) * k + n * deviance(network, samples):.6g}")


def bic_of_modifications(
    network: Network,
    mutations: Iterable[Mutation],
    samples: CalibrationSamples,
    settings: SurgerySettings,
    rng: np.random.Generator,
) -> dict[str, float]:
    """The criterion after each modification, by `key_of`.

    Args:
        network: that is modified.
        mutations: all legal.
        samples: that give the likelihood.
        settings: of surgery.
        rng: draws what its rules leave open.
    """
    found = {}
    for mutation in mutations:
        by_samples = settings.uses_samples(mutation.operation)
        child = mutate(
            network,
            mutation,
            rng,
            calibration=samples.inputs if by_samples else None,
            growth=settings.growth,
            noise=settings.copy_noise,
        )
        found[key_of(mutation)] = bic(child.network, samples)
    return found
