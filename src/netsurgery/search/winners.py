"""The winners of a generation, as `winners.json` has them."""

from __future__ import annotations

from pathlib import Path

from netsurgery.search.records import Record
from netsurgery.storage.files import read_json


def read_winners(path: Path) -> tuple[list[Record], list[str], int]:
    """Records and models of a generation's winners, and the batches spent up to them."""
    winners = read_json(path)
    records = [Record.from_json(parent["record"]) for parent in winners["parents"]]
    models = [parent["model"] for parent in winners["parents"]]
    return records, models, winners["batches_spent"]
