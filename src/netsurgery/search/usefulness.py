"""Whether the final network of a search is better than a guess that does not look at the data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from netsurgery.objectives.tasks import CLASSIFICATION, MULTILABEL, REGRESSION

ADVICE = (
    "train longer, change the learning_rate, or look with `netsurgery check` whether the inputs"
    " can tell; `reference: true` shows what other models make of them"
)


@dataclass(frozen=True)
class UsefulnessSettings:
    """What becomes of a final network of no use."""

    allow_constant_output: bool = False


def why_no_better_than_a_guess(errors: Mapping[str, Any], metrics: Mapping[str, Any]) -> str | None:
    """A sentence on a network that a constant answer equals on the test samples; None for others.

    The constant is the most frequent class, the share of each label, or the mean of a target.

    Args:
        errors: see `netsurgery.report.error_analysis`.
        metrics: of the test samples; None where they are not finite.
    """
    if errors["task"] == CLASSIFICATION:
        counts = [sum(row) for row in errors["confusion"]]
        accuracy, share = metrics.get("accuracy"), max(counts) / errors["samples"]
        if accuracy is None or accuracy > share:
            return None
        most = errors["classes"][counts.index(max(counts))]
        found = (
            f"test accuracy {accuracy:.1%} is no better than {share:.1%}, which the answer"
            f" {most!r} to every sample gives"
        )
    elif errors["task"] == REGRESSION:
        r2 = metrics.get("r2")
        if r2 is None or r2 > 0:
            return None
        found = (
            f"test r2 {r2:.3f}: the mean of the target predicts as well as the network or better"
        )
    elif errors["task"] == MULTILABEL:
        shares = [row["samples"] / errors["samples"] for row in errors["by_label"]]
        present = [share for share in shares if share]
        precision = metrics.get("mean_average_precision")
        if precision is None or precision > sum(present) / len(present):
            return None
        found = (
            f"test mean average precision {precision:.3f} is no better than"
            f" {sum(present) / len(present):.3f}, which the same answer to every sample gives"
        )
    else:
        return None
    return f"{found}; {ADVICE}"
