"""Suggestions for error messages: the closest valid name, and all valid names."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any

MAX_LISTED = 20  # with more valid names, the closest one is enough
# words of pandas, Keras and other searches, by which users may know a setting, and its name here
KNOWN_AS = {
    "architecture": "topology",
    "delim": "delimiter",
    "dtype_policy": "precision",
    "file": "path",
    "label": "target",
    "lr": "learning_rate",
    "metric": "objective",
    "metrics": "extra_metrics",
    "missing": "na_values",
    "model": "topology",
    "monitor": "objective",
    "network": "topology",
    "noise": "copy_noise",
    "seed": "seeds",
    "sep": "delimiter",
    "separator": "delimiter",
    "target_accuracy": "target",
}


def suggest(value: Any, names: Iterable[str]) -> str:
    """Return the end of an error message about an invalid name.

    Args:
        value: The invalid name.
        names: The valid ones.

    Returns:
        `; did you mean X?`, if a valid name is close or means the same elsewhere, and
        ` (allowed: A, B)`, unless there is such a name among many.
    """
    ordered = sorted(map(str, names))
    known_as = KNOWN_AS.get(str(value))
    close = [known_as] if known_as in ordered else difflib.get_close_matches(str(value), ordered, 1)
    hint = f"; did you mean {close[0]}?" if close else ""
    return hint if hint and len(ordered) > MAX_LISTED else f"{hint} (allowed: {', '.join(ordered)})"
