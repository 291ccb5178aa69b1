"""The branches of a Surgeon search: the networks that a decision point starts from."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace

from netsurgery.networks.network import Network
from netsurgery.networks.topology import Topology
from netsurgery.search.calibration import CalibrationSamples
from netsurgery.search.plans import GenerationPlan
from netsurgery.search.records import Record, Status
from netsurgery.search.surgeon.analysis import (
    Analysis,
    LayerScore,
    analyse,
    hidden_layers,
    principal_components,
)
from netsurgery.search.surgeon.criterion import SELF, bic, bic_of_modifications
from netsurgery.search.surgeon.recommendation import TieBreak, modifications
from netsurgery.search.surgeon.settings import AnalysisSettings
from netsurgery.search.trainer import Trainer
from netsurgery.search.winners import Winner, Winners, model_name
from netsurgery.storage.random_streams import random_stream
from netsurgery.surgery import Mutation, why_illegal


def topology_of(record: Record) -> Topology:
    """The topology in a record."""
    return Topology.from_json(record.topology)


def accuracy(record: Record) -> float:
    """The accuracy on the validation samples; -inf for a failed candidate."""
    failed = record.status != Status.OK or record.score is None
    return -math.inf if failed or record.score is None else record.score


ReadSamples = Callable[[int], CalibrationSamples]  # so many training samples


def analyse_branch(
    network: Network, settings: AnalysisSettings, read: ReadSamples, seed: int
) -> list[Analysis]:
    """Analyse the dense layers of a branch, with samples if the search asks for them.

    Args:
        network: the branch.
        settings: of the search.
        read: reads calibration samples.
        seed: of the search.
    """
    analysis = analyse(network)
    if not settings.needs_samples:
        return analysis
    samples = read(settings.surgery.calibration_samples)
    if settings.layer_score is LayerScore.ACTIVATIONS:
        found = principal_components(network, samples.inputs, settings.explained_variance)
        analysis = [replace(layer, components=found.get(layer.position)) for layer in analysis]
    if settings.tie_break is not TieBreak.BIC:
        return analysis
    hidden = hidden_layers(network.topology)
    mutations: dict[int, list[Mutation]] = {}
    for number, mutation, _ in modifications(network.topology, analysis, settings.thresholds):
        if number is not None and why_illegal(network.topology, mutation) is None:
            mutations.setdefault(hidden[number - 1], []).append(mutation)
    rng = random_stream(seed, "bic")
    criteria = {
        position: bic_of_modifications(network, of_layer, samples, settings.surgery, rng)
        for position, of_layer in mutations.items()
    }
    last = analysis[-1].position
    criteria[last] = criteria.get(last, {}) | {SELF: bic(network, samples)}
    return [replace(layer, bic=criteria.get(layer.position, {})) for layer in analysis]


def analyse_branches(
    branches: Winners, trainer: Trainer, settings: AnalysisSettings, seed: int
) -> dict[str, list[Analysis]]:
    """Analyse the dense layers of all branches, by candidate; none of a failed one."""
    return {
        each.record.candidate: analyse_branch(
            trainer.network(each.model), settings, trainer.calibration, seed
        )
        if each.record.status == Status.OK
        else []
        for each in branches.parents
    }


def next_branches(
    plan: GenerationPlan, records: Mapping[str, Record], previous: Winners
) -> Winners:
    """The branches after a decision point; the previous ones if it accepted none.

    Args:
        plan: of the decision point.
        records: of all its training steps.
        previous: the branches before it.
    """
    accepted = [step for (step,) in plan.winners if records[step].status == Status.OK]
    parents = [Winner(records[step], model_name(plan.generation, step)) for step in accepted]
    return previous.followed_by(parents, records.values())
