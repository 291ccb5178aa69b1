"""Commands that decide or gather: none of them needs TensorFlow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from netsurgery.search import outcome, scores
from netsurgery.search.ectonas import generation as generations
from netsurgery.search.ectonas.generation import GenerationSettings
from netsurgery.search.ectonas.plans import GenerationBudget
from netsurgery.search.layout import WARM_UP, SearchFolder, read_generation
from netsurgery.search.records import OK
from netsurgery.search.winners import read_winners
from netsurgery.storage.files import CHECKSUMS, checksums, read_json, write_json, write_table
from netsurgery.storage.random_streams import random_stream


def generation_budget(
    winners: Path, generation: int, settings: dict[str, Any], seed: int
) -> GenerationBudget:
    """Compute what the next generation may cost."""
    parents, _, spent = read_winners(winners)
    return generations.generation_budget(
        parents,
        generation,
        spent,
        settings["budget"],
        settings["budget_mode"] == "strict",
        GenerationSettings.from_settings(settings),
        seed,
    )


def plan_generation(
    winners: Path,
    generation: int,
    settings: dict[str, Any],
    seed: int,
    budget: GenerationBudget,
    output: Path,
) -> None:
    """Write the plan of a generation, and remove files that an earlier plan of it left."""
    parents, models, _ = read_winners(winners)
    rules = GenerationSettings.from_settings(settings)
    planned = generations.plan(parents, models, generation, budget, rules, seed)
    for stray in SearchFolder(output.parent.parent).strays(planned):
        stray.unlink()
    write_json(output, planned.to_json())


def init_search(folder: SearchFolder) -> None:
    """Write the winners of generation 0: the starting topology."""
    record = folder.start()
    model = str(folder.model(0, WARM_UP).relative_to(folder.root))
    parents = [{"record": record.to_json(), "model": model}]
    write_json(folder.winners(0), {"parents": parents, "batches_spent": record.batches_spent})


def select_parents(
    folder: SearchFolder, generation: int, settings: dict[str, Any], seed: int
) -> None:
    """Write the winners of a generation; if all its candidates failed, its parents once more."""
    planned = read_generation(folder.plan(generation))
    previous = read_json(folder.winners(generation - 1))
    trained = folder.records_of(planned)
    parents = []
    for group in planned.winners:
        records = [trained[step] for step in group]
        ends = [planned.rounds_of(step)[-1] for step in group]
        chosen = scores.winner(
            records,
            settings["objective"],
            mode_of(ends[0], settings["mode"]),
            settings["greediness"],
            settings["score_window"],
            random_stream(seed, "winner", generation, *ends),
        )
        model = folder.model(generation, group[chosen]).relative_to(folder.root)
        if records[chosen].status == OK:
            parents.append({"record": records[chosen].to_json(), "model": str(model)})
    spent = sum(record.batches_spent for record in trained.values())
    winners = {
        "parents": parents or previous["parents"],
        "batches_spent": previous["batches_spent"] + spent,
    }
    write_json(folder.winners(generation), winners)


def mode_of(round_: str, mode: str) -> str:
    """How the winner behind a round is found: greedily in phase 1, unless all is drawn."""
    return scores.GREEDY if round_.startswith("phase1/") and mode == scores.BALANCED else mode


def summarize_search(folder: SearchFolder, settings: dict[str, Any], seed: int) -> None:
    """Write the lineage and, last, the summary of a finished search."""
    records = folder.records()
    plans = folder.generations()
    survivors = {
        parent["record"]["candidate"]
        for generation in range(len(plans) + 1)
        for parent in read_json(folder.winners(generation))["parents"]
    }
    final = records[-1]
    rows = outcome.lineage(records, survivors, final.candidate)
    write_table(folder.lineage, outcome.LINEAGE_COLUMNS, rows)
    summary = outcome.summary(
        settings,
        seed,
        final,
        start_parameters=records[0].parameters,
        spent=sum(record.batches_spent for record in records),
        generations=len(plans),
        candidates=len(outcome.last_records(records)),
        test=read_json(folder.final / "test.json"),
        wall_seconds=sum(record.wall_seconds for record in records),
    )
    path = folder.final / "summary.json"
    write_json(path, summary | {CHECKSUMS: checksums(path, folder.lineage)})
