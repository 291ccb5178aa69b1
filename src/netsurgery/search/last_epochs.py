"""The last epochs of a search, in which its selected network trains with what is left."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from netsurgery.search.records import Record


def last_epochs_summary(final: Record) -> dict[str, Any]:
    """What the summary of a search says of its last epochs; empty values without any."""
    last = final.last_epochs
    return {
        "last_epochs": last.batches / final.batches_per_epoch if last else 0.0,
        "last_epochs_kept": last.kept if last else None,
        "val_score_before_last_epochs": last.score_before if last else None,
        "val_score_after_last_epochs": last.score_after if last else None,
    }


def describe_last_epochs(summary: Mapping[str, Any]) -> str | None:
    """A sentence on the last epochs, from a summary; None if there were none."""
    if not summary.get("last_epochs"):
        return None
    before, after = (summary[f"val_score_{when}_last_epochs"] for when in ("before", "after"))
    then = "the training failed" if after is None else f"{after:.4f} after"
    kept = "after" if summary["last_epochs_kept"] else "before"
    return (
        f"What was left of the budget trained the selected network for {summary['last_epochs']:.1f}"
        f" epochs: {summary['objective']} {before:.4f} before, {then}. The final weights are those"
        f" {kept} these epochs."
    )
