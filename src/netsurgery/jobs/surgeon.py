"""Commands of the Surgeon's decision points: read files, decide, write files. No TensorFlow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from netsurgery.search.candidates import read_candidate, read_record
from netsurgery.search.ectonas.generation import FINISH
from netsurgery.search.layout import SearchFolder
from netsurgery.search.records import OK, Record
from netsurgery.search.surgeon import decision_point
from netsurgery.search.surgeon import decision_tables as audits
from netsurgery.search.surgeon.decision_point import DecisionSettings, StoppingSettings
from netsurgery.search.surgeon.recommendation import Analysis
from netsurgery.search.surgeon.recommendation import analyse as analyse_network
from netsurgery.search.winners import read_winners
from netsurgery.storage.files import read_json, write_checksums, write_json, write_table

YES, NO = "yes", "no"


def read_analyses(path: Path) -> dict[str, list[Analysis]]:
    """The singular values of branches, by candidate."""
    return {
        candidate: [Analysis.from_json(layer) for layer in layers]
        for candidate, layers in read_json(path).items()
    }


def slots_of(folder: SearchFolder, plan: dict[str, Any]) -> dict[str, Record]:
    """The records of a try's slots."""
    generation = plan["generation"]
    return {
        slot: Record.from_json(read_json(folder.record(generation, slot))) for slot in plan["slots"]
    }


def earlier(folder: SearchFolder, generation: int, attempt: int) -> list[dict[str, Any]]:
    """The plans of a decision point's tries before one."""
    return [read_json(folder.try_plan(generation, number)) for number in range(1, attempt)]


def allowance(folder: SearchFolder, generation: int, attempt: int, settings: dict[str, Any]) -> str:
    """All that a try is told of when the search is to end.

    For the first one see `netsurgery.search.surgeon.decision_point.next_decision`; a further one
    learns whether the budget lasts for it, yes or no.
    """
    rules, ending = (
        DecisionSettings.from_settings(settings),
        StoppingSettings.from_settings(settings),
    )
    past = [read_winners(folder.winners(number)) for number in range(generation)]
    spent = past[-1][2]
    if attempt == 1:
        return decision_point.next_decision(
            [records for records, _, _ in past], spent, rules, ending
        )
    if ending.budget is None:
        return YES
    tries = earlier(folder, generation, attempt)
    records = [record for plan in tries for record in folder.records_of(plan)]
    spent += sum(record.batches_spent for record in records)
    per_epoch = past[-1][0][0].batches_per_epoch
    lasts = decision_point.may_redraw(spent, tries[0]["step_batches"], per_epoch, rules, ending)
    return YES if lasts else NO


def plan_try(
    folder: SearchFolder,
    generation: int,
    attempt: int,
    settings: dict[str, Any],
    seed: int,
    allowed: str,
) -> None:
    """Write the plan of a try: what it takes, or what came of those before, or the end."""
    rules = DecisionSettings.from_settings(settings)
    parents, models, _ = read_winners(folder.winners(generation - 1))
    before = earlier(folder, generation, attempt)
    head = {
        "generation": generation,
        "allowance": allowed,
        "parents": [
            {"candidate": parent.candidate, "model": model}
            for parent, model in zip(parents, models, strict=True)
        ],
    }
    output = folder.try_plan(generation, attempt)
    if attempt == 1:
        action, batches, *why = allowed.split(" ", 2)
        if action == FINISH:
            write_json(output, head | finish(int(batches), *why))
            return
        step = int(batches)
    else:
        step = before[0]["step_batches"]

    # branches that stayed have modifications that were tried at earlier decision points
    plans = [read_json(folder.plan(number)) for number in range(1, generation)] + before
    done = decision_point.tried([child for plan in plans for child in plan["offspring"]])
    analyses = read_analyses(folder.singular_values(generation))
    pool = decision_point.recommendations(parents, analyses, rules)
    chosen = decision_point.select(parents, pool, done, generation, attempt, rules, seed)
    if attempt == 1 and not chosen:
        write_json(output, head | finish(0, "all modifications are tried"))
        return
    if attempt > 1:
        more = bool(chosen) and attempt <= 1 + rules.max_redraws and allowed == YES
        records = [slots_of(folder, plan) for plan in before]
        verdict = decision_point.accept_or_redraw(parents, records, more, rules)
        if verdict is not None:
            write_json(output, head | {"action": decision_point.SETTLE, "try": attempt} | verdict)
            return
    known = sum(len(plan["offspring"]) for plan in before)
    planned = decision_point.plan_try(
        parents, models, chosen, generation, attempt, known, step, rules
    )
    write_json(output, head | planned)


def finish(batches: int, reason: str) -> dict[str, Any]:
    """The end of a search in a plan."""
    return {"action": FINISH, "further_batches": batches, "reason": reason}


def decision_report(
    folder: SearchFolder, generation: int, settings: dict[str, Any], seed: int
) -> None:
    """Write what a decision point rests on: tables of layers and modifications, and a picture."""
    from netsurgery import plots  # drawing takes a while to import

    rules = DecisionSettings.from_settings(settings)
    parents, _, _ = read_winners(folder.winners(generation - 1))
    analyses = read_analyses(folder.singular_values(generation))
    plan = read_json(folder.plan(generation))
    steps = folder.steps(plan)
    records = dict(zip(steps, folder.records_of(plan), strict=True))
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
    write_checksums(folder.generation(generation) / "audit.json", *tables, picture)


def merge_tries(folder: SearchFolder, generation: int) -> None:
    """Write a decision point as one plan."""
    write_json(folder.plan(generation), decision_point.merge(list(folder.tries(generation))))


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
