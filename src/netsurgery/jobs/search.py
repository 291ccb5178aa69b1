"""Commands of every search: its start, the winners of its generations, its summary."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from netsurgery.search import lineage
from netsurgery.search.algorithms import planned_by, read_generation
from netsurgery.search.layout import SearchFolder
from netsurgery.search.summary import summarize
from netsurgery.search.winners import Winners
from netsurgery.storage.files import CHECKSUMS, checksums, read_json, write_json, write_table


def init_search(folder: SearchFolder) -> None:
    """Write the winners of generation 0: the initial network."""
    write_json(folder.winners(0), Winners.first(folder.start()).to_json())


def select_parents(
    folder: SearchFolder, generation: int, settings: dict[str, Any], seed: int
) -> None:
    """Write the winners of a generation; if all its candidates failed, its parents again."""
    plan = read_generation(folder.plan(generation))
    winners = planned_by(plan).select_parents(
        plan, folder.records_of(plan), folder.read_winners(generation - 1), settings, seed
    )
    write_json(folder.winners(generation), winners.to_json())


def summarize_search(folder: SearchFolder, settings: dict[str, Any], seed: int) -> None:
    """Write the lineage and, last, the summary of a finished search."""
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
    summary = summarize(
        settings,
        seed,
        final,
        start_parameters=records[0].parameters,
        spent=sum(record.batches_spent for record in records),
        generations=generations,
        candidates=len(lineage.last_records(records)),
        test=read_json(folder.final / "test.json"),
        wall_seconds=sum(record.wall_seconds for record in records),
    )
    path: Path = folder.final / "summary.json"
    write_json(path, summary | {CHECKSUMS: checksums(path, folder.lineage)})
