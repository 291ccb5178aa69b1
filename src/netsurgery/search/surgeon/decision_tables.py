"""Human-readable tables that explain a decision of the Surgeon."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from netsurgery.search.records import Record
from netsurgery.search.scores import surgeon_score
from netsurgery.search.steps import Step, recuperation_step
from netsurgery.search.surgeon import decision_point
from netsurgery.search.surgeon.analysis import Analysis, hidden_layers
from netsurgery.search.surgeon.branches import topology_of
from netsurgery.search.surgeon.plans import DecisionPlan
from netsurgery.search.surgeon.settings import DecisionSettings

LAYER_COLUMNS = (
    "branch",
    "layer",  # number of the hidden layer, as in section 3.2; empty for the output layer
    "position",
    "inputs",
    "units",
    "largest",  # singular value
    "limit",  # a smaller singular value counts as zero (eq. 13)
    "removable",  # units, n_r
    "removable_part",
)
RECOMMENDATION_COLUMNS = (
    "branch",
    "operation",
    "layer",
    "position",
    "width",
    "recommendation",  # first criterion
    "parameters",  # second criterion
    "bic",  # the second criterion instead, if the search asks for it
    "try",  # number of the try; empty if it was not tried
    "drawn",  # whether at random
    "candidate",
    "status",
    "accuracy",  # after re-training
    "gain",
    "fraction",  # of the branch's parameters
    "score",  # eq. 16
    "accuracy_after_step",  # of candidates that trained to the full step
    "outcome",
)


def layers(
    parents: Sequence[Record],
    analyses: Mapping[str, Sequence[Analysis]],
    settings: DecisionSettings,
) -> list[dict[str, Any]]:
    """Make a row per dense layer of each branch, with `LAYER_COLUMNS`."""
    rows = []
    for parent in parents:
        hidden = hidden_layers(topology_of(parent))
        for layer in analyses[parent.candidate]:
            inside = layer.position in hidden
            removable = layer.removable(settings.thresholds)
            values = (
                parent.candidate,
                hidden.index(layer.position) + 1 if inside else "",
                layer.position,
                layer.inputs,
                layer.units,
                layer.singular_values[0],
                layer.limit(settings.thresholds),
                removable,
                round(layer.share(settings.thresholds), 6),
            )
            rows.append(dict(zip(LAYER_COLUMNS, values, strict=True)))
    return rows


def recommendations(
    parents: Sequence[Record],
    analyses: Mapping[str, Sequence[Analysis]],
    plan: DecisionPlan,
    records: Mapping[str, Record],
    settings: DecisionSettings,
) -> list[dict[str, Any]]:
    """Make a row per modification, the best one first, with `RECOMMENDATION_COLUMNS`.

    Args:
        parents: the branches that the decision point started from.
        analyses: of their dense layers, by candidate.
        plan: of the whole decision point.
        records: of all its training steps, by name.
        settings: of the search.
    """
    tries = {
        Step.parse(contender).candidate: Step.parse(step).number
        for step, contenders in plan.contenders.items()
        for contender in contenders
    }
    trained = {records[step].candidate: step for step in plan.contenders}
    born = {decision_point.modification_of(child): child for child in plan.offspring}
    accepted = {step for (step,) in plan.winners}
    rows = []
    for each in decision_point.recommendations(parents, analyses, settings):
        mutation = each.mutation
        row: dict[str, Any] = {
            "branch": parents[each.branch].candidate,
            "operation": str(mutation.operation),
            "layer": each.layer,
            "position": mutation.position,
            "width": mutation.width,
            "recommendation": round(each.score, 6),
            "parameters": each.parameters,
            "bic": each.bic,
        }
        child = born.get(decision_point.modification_in(each, parents))
        if child is not None:
            name = child.candidate
            record, step = records[recuperation_step(name)], trained.get(name)
            before, after = record.parent_score, record.score
            row |= {
                "try": tries[name],
                "drawn": child.drawn,
                "candidate": name,
                "status": record.status,
                "accuracy": after,
                "gain": None if after is None or before is None else after - before,
                "fraction": record.parameters / (record.parent_parameters or record.parameters),
                "score": None if after is None else surgeon_score(record, settings.size_weight),
                "accuracy_after_step": records[step].score if step else None,
                "outcome": "branch" if step in accepted else "trained" if step else "re-trained",
            }
        rows.append({column: row.get(column) for column in RECOMMENDATION_COLUMNS})
    return rows
