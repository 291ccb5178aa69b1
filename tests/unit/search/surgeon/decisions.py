"""What tests of decision points share: settings, branches, and tries that are planned for them."""

from netsurgery.networks import topologies
from netsurgery.search.surgeon import decision_point
from netsurgery.search.surgeon.analysis import Analysis
from netsurgery.search.surgeon.settings import DecisionSettings, StoppingSettings
from netsurgery.storage.settings import from_settings
from tests.support.factories import history, search, start, winners

PER_EPOCH = 1000


def settings(**changed):
    """The settings of a search by the Surgeon."""
    return search(algorithm="surgeon", topology="surgeon-medium", **changed).settings


def decision_settings(**changed):
    """Those that shape a decision point."""
    return from_settings(DecisionSettings, settings(**changed))


def stopping_settings(**changed):
    """Those that end a search."""
    return from_settings(StoppingSettings, settings(**changed))


def branch(score=0.5, candidate="g00c00", topology="surgeon-medium", **fields):
    """The record of a branch."""
    return start(
        topology,
        (8, 8, 1),
        batches_per_epoch=PER_EPOCH,
        candidate=candidate,
        score=score,
        history=history(score),
        **fields,
    )


def analysis(record):
    """An analysis of a branch in which every layer has two small singular values."""
    layers = topologies.named("surgeon-medium")
    values = (1.0,) * 8 + (0.1,) * 2
    return [Analysis(i + 1, 10, 10, values) for i in range(len(layers))]


def planned_try(parents=None, attempt=1, done=frozenset(), seed=0, known=0, step=10_000, **changed):
    """The plan of a try of the first decision point."""
    parents = parents or [branch()]
    chosen_settings = decision_settings(**changed)
    pool = decision_point.recommendations(
        parents, {parent.candidate: analysis(parent) for parent in parents}, chosen_settings
    )
    chosen = decision_point.select_modifications(
        parents, pool, set(done), 1, attempt, chosen_settings, seed
    )
    return decision_point.plan_try(
        winners(*parents), chosen, 1, attempt, known, step, chosen_settings
    )


def modifications(plan):
    """The modifications in a plan."""
    return {decision_point.modification_of(child) for child in plan.offspring}
