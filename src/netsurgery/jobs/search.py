"""Commands of every search: its start, the winners of its generations, its summary and card."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from netsurgery.networks.topology import Topology
from netsurgery.report import model_card
from netsurgery.search import front, lineage
from netsurgery.search.algorithms import algorithm_of, planned_by, read_generation
from netsurgery.search.layout import SearchFolder
from netsurgery.search.steps import WARM_UP
from netsurgery.search.summary import summarize
from netsurgery.search.winners import Winners
from netsurgery.storage.dependencies import NO_DEPENDENCIES, Dependencies
from netsurgery.storage.files import CHECKSUMS, checksums, read_json, write_table, write_text


def init_search(folder: SearchFolder, dependencies: Dependencies = NO_DEPENDENCIES) -> None:
    """Write the winners of generation 0: the initial network."""
    inputs = [folder.record(0, WARM_UP)]
    winners = Winners.first(folder.start())
    dependencies.with_inputs(inputs).write(folder.winners(0), winners.to_json())


def select_parents(
    folder: SearchFolder,
    generation: int,
    settings: dict[str, Any],
    seed: int,
    dependencies: Dependencies = NO_DEPENDENCIES,
) -> None:
    """Write the winners of a generation; if all its candidates failed, its parents again."""
    plan = read_generation(folder.plan(generation))
    winners = planned_by(plan).select_parents(
        plan, folder.records_of(plan), folder.read_winners(generation - 1), settings, seed
    )
    records = [folder.record(generation, step) for step in plan.steps]
    inputs = [folder.plan(generation), folder.winners(generation - 1), *records]
    dependencies.with_inputs(inputs).write(folder.winners(generation), winners.to_json())


def summarize_search(
    folder: SearchFolder,
    settings: dict[str, Any],
    seed: int,
    dependencies: Dependencies = NO_DEPENDENCIES,
) -> None:
    """Write the lineage, the front, the model card and, last, the summary of a finished search."""
    records = folder.records()
    generations = len(folder.generations())
    survivors = {
        candidate
        for number in range(generations + 1)
        for candidate in folder.read_winners(number).candidates
    }
    final = records[-1]
    rows = lineage.lineage(records, survivors, final.candidate)
    write_table(folder.lineage, lineage.LINEAGE_COLUMNS, rows)
    networks = folder.front_table(algorithm_of(settings), settings["objective"])
    write_table(folder.front, front.COLUMNS, networks)
    summary = summarize(
        settings,
        seed,
        final,
        start_parameters=records[0].parameters,
        spent=sum(record.batches_counted for record in records),
        generations=generations,
        candidates=len(lineage.last_records(records)),
        test=read_json(folder.final / "test.json"),
        errors=read_json(folder.final / "errors.json"),
        wall_seconds=sum(record.wall_seconds for record in records),
    )
    _write_card(folder.final, summary, settings, Topology.from_json(final.topology))
    path: Path = folder.final / "summary.json"
    names = ("network.json", "test.json", "errors.json", "exports.json")
    inputs = [folder.final / name for name in names]
    # all that comes before a final network is behind the parents that it was selected from
    inputs += [folder.winners(number) for number in range(generations + 1)]
    summary |= {CHECKSUMS: checksums(path, folder.lineage, folder.front)}
    dependencies.with_inputs(inputs).write(path, summary)


def _write_card(
    final: Path, summary: dict[str, Any], settings: dict[str, Any], topology: Topology
) -> None:
    """Write the model card."""
    exports = read_json(final / "exports.json")
    card = model_card.model_card(
        summary,
        settings,
        read_json(final / "preprocessing.json"),
        topology,
        read_json(final / "errors.json"),
        exports["exports"],
        exports["check"],
    )
    write_text(final / "README.md", card)
