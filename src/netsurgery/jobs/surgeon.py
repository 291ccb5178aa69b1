"""Commands of the Surgeon's decision points: read files, decide, write files. No TensorFlow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from netsurgery.search.candidates import read_candidate, read_record
from netsurgery.search.layout import SearchFolder, read_generation, read_try
from netsurgery.search.plans import FinalPlan, parents_of
from netsurgery.search.records import OK
from netsurgery.search.surgeon import decision_point
from netsurgery.search.surgeon import decision_tables as audits
from netsurgery.search.surgeon.decision_point import DecisionSettings, StoppingSettings
from netsurgery.search.surgeon.plans import Allowance, Continue, DecisionPlan, Stop, TryPlan
from netsurgery.search.surgeon.recommendation import Analysis
from netsurgery.search.surgeon.recommendation import analyse as analyse_network
from netsurgery.search.winners import read_winners
from netsurgery.storage.files import read_json, write_checksums, write_json, write_table


def read_analyses(path: Path) -> dict[str, list[Analysis]]:
    """The singular values of branches, by candidate."""
    return {
        candidate: [Analysis.from_json(layer) for layer in layers]
        for candidate, layers in read_json(path).items()
    }


def earlier_tries(folder: SearchFolder, generation: int, attempt: int) -> list[TryPlan]:
    """Read the plans of a decision point's tries before one."""
    plans = (read_try(folder.try_plan(generation, number)) for number in range(1, attempt))
    return [plan for plan in plans if isinstance(plan, TryPlan)]


def allowance(
    folder: SearchFolder, generation: int, attempt: int, settings: dict[str, Any]
) -> Allowance:
    """All that a try knows of the search's end (see `surgeon.decision_point.next_decision`).

    A further try knows only whether the budget suffices for it.
    """
    rules = DecisionSettings.from_settings(settings)
    ending = StoppingSettings.from_settings(settings)
    past = [read_winners(folder.winners(number)) for number in range(generation)]
    spent = past[-1][2]
    if attempt == 1:
        branches = [records for records, _, _ in past]
        return decision_point.next_decision(branches, spent, rules, ending)
    tries = earlier_tries(folder, generation, attempt)
    if ending.budget is not None:
        records = [record for plan in tries for record in folder.records_of(plan).values()]
        spent += sum(record.batches_spent for record in records)
    per_epoch = past[-1][0][0].batches_per_epoch
    return decision_point.may_redraw(spent, tries[0].step_batches, per_epoch, rules, ending)


def plan_try(
    folder: SearchFolder,
    generation: int,
    attempt: int,
    settings: dict[str, Any],
    seed: int,
    allowed: Allowance,
) -> None:
    """Write the plan of a try, the verdict on those before it, or the final plan."""
    rules = DecisionSettings.from_settings(settings)
    parents, models, _ = read_winners(folder.winners(generation - 1))
    before = earlier_tries(folder, generation, attempt)
    output = folder.try_plan(generation, attempt)

    def finish(stop: Stop) -> None:
        final = FinalPlan(
            generation=generation,
            parents=parents_of([parent.candidate for parent in parents], models),
            remaining_batches=stop.batches,
            reason=stop.reason,
        )
        write_json(output, final.to_json())

    if before:
        step = before[0].step_batches
    elif isinstance(allowed, Continue):
        step = allowed.step_batches
    else:
        finish(allowed)
        return
    # branches that stayed have modifications that were tried at earlier decision points
    past = [read_generation(folder.plan(number)) for number in range(1, generation)]
    done = decision_point.tried([child for plan in [*past, *before] for child in plan.offspring])
    analyses = read_analyses(folder.singular_values(generation))
    pool = decision_point.recommendations(parents, analyses, rules)
    chosen = decision_point.select(parents, pool, done, generation, attempt, rules, seed)
    if not (before or chosen):
        finish(Stop(0, "all modifications are tried"))
        return
    if before:
        more = bool(chosen) and attempt <= 1 + rules.max_redraws and isinstance(allowed, Continue)
        trained = [folder.records_of(plan) for plan in before]
        branches = [
            {step: records[step] for step in plan.contenders}
            for plan, records in zip(before, trained, strict=True)
        ]
        verdict = decision_point.accept_or_redraw(parents, branches, generation, more, rules)
        if verdict is not None:
            write_json(output, verdict.to_json())
            return
    planned = decision_point.plan_try(
        parents,
        models,
        chosen,
        generation,
        attempt,
        known=sum(len(plan.offspring) for plan in before),
        step=step,
        rules=rules,
    )
    write_json(output, planned.to_json())


def decision_report(
    folder: SearchFolder, generation: int, settings: dict[str, Any], seed: int
) -> None:
    """Write what a decision point rests on: tables of layers and modifications, and a picture."""
    from netsurgery import plots  # drawing takes a while to import

    rules = DecisionSettings.from_settings(settings)
    parents, _, _ = read_winners(folder.winners(generation - 1))
    analyses = read_analyses(folder.singular_values(generation))
    plan = read_generation(folder.plan(generation))
    assert isinstance(plan, DecisionPlan)
    records = folder.records_of(plan)
    write_table(
        folder.layers(generation), audits.LAYER_COLUMNS, audits.layers(parents, analyses, rules)
    )
    write_table(
        folder.recommendations(generation),
        audits.RECOMMENDATION_COLUMNS,
        audits.recommendations(parents, analyses, plan, records, rules),
    )
    heading = f"{folder.root.parent.name}, seed {seed}: decision {generation}"
    figure = plots.plot_singular_values(heading, analyses, rules.thresholds)
    picture = folder.generation(generation) / "singular_values.svg"
    plots.save_figure(figure, picture)
    tables = folder.layers(generation), folder.recommendations(generation)
    write_checksums(folder.generation(generation) / "decision_report.json", *tables, picture)


def merge_tries(folder: SearchFolder, generation: int) -> None:
    """Write a decision point as one plan."""
    merged = decision_point.merge(list(folder.tries(generation)))
    write_json(folder.plan(generation), merged.to_json())


def singular_values(models: Sequence[Path], output: Path) -> None:
    """Write the singular values of models' dense layers, by candidate; none of the fallen."""
    found = {}
    for model in models:
        record = read_record(model)
        layers = (
            analyse_network(read_candidate(model, record).network) if record.status == OK else []
        )
        found[record.candidate] = [asdict(layer) for layer in layers]
    write_json(output, found)
