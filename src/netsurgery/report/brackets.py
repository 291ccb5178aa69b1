"""Who met whom in a generation, and who won: a plan and its records as rounds of groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from netsurgery.search.records import OK, Record


def _entry(record: Record, won: bool) -> dict[str, Any]:
    return {
        "candidate": record.candidate,
        "score": record.score,
        "parameters": record.parameters,
        "epochs": record.epochs_spent,
        "fell": record.status != OK,
        "won": won,
    }


def rounds(
    plan: Mapping[str, Any], records: Mapping[str, Record], prefix: str
) -> list[list[list[dict[str, Any]]]]:
    """Rounds of a bracket, each a list of groups, each a list of competitors.

    A group's competitors trained in this round; its winner, who trains in a slot of the next, is
    marked.

    Args:
        plan: of the generation.
        records: its records by step.
        prefix: of the bracket's slots, such as phase1/add_units.
    """
    slots = [slot for slot in plan["slots"] if slot.startswith(f"{prefix}/")]
    names = list(dict.fromkeys(slot.rsplit("/", 1)[0] for slot in slots))
    found = []
    for name in names:
        own = [slot for slot in slots if slot.rsplit("/", 1)[0] == name]
        feeding = [f for f in plan["slots"].values() if f and set(f) <= set(own)]
        feeding += [list(group) for group in plan["winners"] if set(group) <= set(own)]
        groups = feeding or [[slot] for slot in own]
        found.append([_group(group, plan, records) for group in groups])
    return found


def _group(
    group: Sequence[str], plan: Mapping[str, Any], records: Mapping[str, Record]
) -> list[dict[str, Any]]:
    """The competitors of a group; the winner is who trains on, or goes on as a parent."""
    after = next((slot for slot, f in plan["slots"].items() if list(f) == list(group)), None)
    if after is not None:
        winner = records[after].candidate if after in records else None
    else:
        winner = plan.get("chosen", {}).get("|".join(group))
    members = [records[slot] for slot in group if slot in records]
    return [_entry(record, record.candidate == winner) for record in members]


def generation(
    plan: Mapping[str, Any], records: Mapping[str, Record], parents: Sequence[str]
) -> dict[str, Any]:
    """A generation of ECToNAS: its offspring by mutation type, and both phases.

    Args:
        plan: of the generation.
        records: its records by step.
        parents: the candidates that it left as parents of the next.
    """
    chosen = {}
    for group in plan["winners"]:
        there = [records[slot].candidate for slot in group if slot in records]
        chosen["|".join(group)] = next((name for name in there if name in parents), None)
    plan = {**plan, "chosen": chosen}
    types = list(
        dict.fromkeys(slot.split("/")[1] for slot in plan["slots"] if slot.startswith("phase1/"))
    )
    return {
        "number": plan["generation"],
        "offspring": len(plan["offspring"]),
        "rejected": len(plan.get("rejected", ())),
        "parents": list(parents),
        "from": [parent["candidate"] for parent in plan.get("parents", ())],
        "phase1": [(name, rounds(plan, records, f"phase1/{name}")) for name in types],
        "phase2": rounds(plan, records, "phase2"),
    }


def decision(
    plan: Mapping[str, Any], records: Mapping[str, Record], parents: Sequence[str]
) -> dict[str, Any]:
    """A decision point of the Surgeon: what was tried, and what goes on."""
    return {
        "number": plan["generation"],
        "offspring": len(plan["offspring"]),
        "redraws": plan.get("redraws", 0),
        "parents": list(parents),
        "tried": [
            _entry(record, record.candidate in parents) | {"operation": record.operation}
            for step, record in records.items()
            if step.startswith("recuperation/")
        ],
    }
