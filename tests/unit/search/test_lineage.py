"""The lineage: where each candidate was eliminated, and by whom."""

from dataclasses import asdict, replace

from netsurgery.search.ectonas.byes import merge_byes
from netsurgery.search.ectonas.plans import BracketPlan, GenerationBudget
from netsurgery.search.lineage import LINEAGE_COLUMNS, beaten, last_records, lineage
from netsurgery.search.records import Status
from tests.support.factories import start

ROOT = start()
FIRST = [f"phase1/identity/round1/slot{i}" for i in range(3)]
SECOND = "phase1/identity/round2/slot0"
CONTENDERS = {
    **{f"recuperation/g01c0{i}": () for i in range(3)},
    **{slot: (f"recuperation/g01c0{i}",) for i, slot in enumerate(FIRST)},
    SECOND: (FIRST[0], FIRST[1]),
}


def child(name, step, trained, **fields):
    grown = replace(ROOT, candidate=name, parent="g00c00", generation=1, step=step)
    return replace(grown, batches_trained=trained, **fields)


def plan():
    """Two candidates meet in round 2; a third one waits for the winner."""
    steps = merge_byes(CONTENDERS, [(SECOND, FIRST[2])], share=0)
    return BracketPlan(
        generation=1,
        parents=(),
        budget=GenerationBudget(),
        batches=0,
        round_epochs=1,
        offspring=(),
        rejected=(),
        rounds=steps.rounds,
        contenders={step: before for step, before in steps.contenders.items() if before},
        winners=steps.winners,
    )


def test_the_last_record_is_that_of_the_latest_phase():
    early = child("g01c00", "recuperation", 11_000)
    late = child("g01c00", FIRST[0], 12_000)
    assert last_records([late, early, ROOT]) == {"g00c00": ROOT, "g01c00": late}


def test_the_lineage_says_where_candidates_were_eliminated():
    records = [
        ROOT,
        child("g01c00", SECOND, 13_000),
        child("g01c01", FIRST[1], 12_000, status=Status.DIVERGED),
        child("g01c02", FIRST[2], 12_000),
    ]
    rows = lineage(records, {"g00c00", "g01c00", "g01c02"}, "g01c00")
    assert [row["candidate"] for row in rows] == ["g00c00", "g01c00", "g01c01", "g01c02"]
    assert [row["eliminated_in"] for row in rows] == ["", "", f"g01/{FIRST[1]}", "final"]
    assert rows[2]["status"] == "diverged"
    assert tuple(rows[0]) == LINEAGE_COLUMNS
    assert {key: rows[0][key] for key in asdict(ROOT.costs)} == asdict(ROOT.costs)


def test_candidates_are_ordered_by_number_from_the_hundredth_on():
    names = [f"g{g:02d}c{c:02d}" for g in (1, 99, 100) for c in (2, 11, 99, 100, 101)]
    records = [child(name, "recuperation", 11_000) for name in reversed(names)]
    assert list(last_records([ROOT, *records])) == ["g00c00", *names]
    rows = lineage([ROOT, *records], set(), "g00c00")
    assert [row["candidate"] for row in rows] == ["g00c00", *names]
    trained = dict(zip([*FIRST, SECOND], ["g01c99", "g01c98", "g01c101", "g01c99"], strict=True))
    eliminated = beaten(plan(), trained, ["g100c00", "g01c100", "g01c11"])
    assert eliminated["g01c101"] == ["g01c11", "g01c100", "g100c00"]


def test_losers_name_the_winner_of_their_last_match():
    trained = {slot: f"g01c0{i}" for i, slot in enumerate(FIRST)} | {SECOND: "g01c00"}
    assert beaten(plan(), trained, ["g01c00"]) == {"g01c01": ["g01c00"], "g01c02": ["g01c00"]}


def test_parents_that_stay_eliminate_failed_candidates():
    trained = {slot: f"g01c0{i}" for i, slot in enumerate(FIRST)} | {SECOND: "g01c00"}
    eliminated = beaten(plan(), trained, ["g00c00"])
    assert eliminated["g01c00"] == eliminated["g01c02"] == ["g00c00"]
