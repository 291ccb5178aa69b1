"""Tags of runs: where a candidate was eliminated, and what its training steps ran with."""

from __future__ import annotations

import re
from collections.abc import Iterable

from netsurgery.search.records import Record
from netsurgery.tracking.runs import MAX_TAG_LENGTH, PREFIX, truncate

COMMIT, SOURCE, SOURCE_TYPE = (  # tags of MLflow, which fill columns of its user interface
    f"mlflow.source.{name}" for name in ("git.commit", "name", "type")
)
ELIMINATION = re.compile(
    r"(?:g(?P<generation>\d+)/)?(?P<phase>\w+?)(?:/(?P<type>[a-z_]+))?(?:/round(?P<round>\d+))?"
    r"(?:/slot\d+)?"
)


def elimination_tags(where: str, by: str) -> dict[str, str]:
    """Tags for the elimination of a candidate.

    Args:
        where: such as g01/phase1/add_units/round2/slot0; empty: the candidate is not eliminated.
        by: the candidates that were better.
    """
    if not where:
        return {}
    parts = ELIMINATION.fullmatch(where)
    values = {"in": where, **(parts.groupdict() if parts else {}), "by": by}
    values.pop("type", None)
    return {f"{PREFIX}eliminated_{name}": value for name, value in values.items() if value}


def provenance_tags(records: Iterable[Record]) -> dict[str, str]:
    """Tags for the code, environment and device; several values where steps ran differently."""
    found: dict[str, list[str]] = {}
    for record in records:
        for name, value in record.provenance.items():
            values = found.setdefault(name, [])
            if value not in values:
                values.append(value)
    tags = {PREFIX + name: truncate("; ".join(v), MAX_TAG_LENGTH) for name, v in found.items()}
    if "commit" in found:
        tags[COMMIT] = found["commit"][-1]
    return tags | {SOURCE: "netsurgery", SOURCE_TYPE: "PROJECT"}
