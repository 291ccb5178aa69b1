"""The scale of an experiment: one number that shrinks its epochs, data and seeds together."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from netsurgery.search.algorithms import algorithm_of

LEAST_SEEDS = 3  # of fewer a spread says nothing


def scaled(settings: Mapping[str, Any], scale: float) -> dict[str, Any]:
    """The settings of a search at some scale.

    Every number of epochs is multiplied by it, so that a search has about as many generations, or
    decision points, as at full scale; so is the part of the training and validation samples that
    is used, though never below `min_subset_size`. Of the seeds the first ones stay: that part of
    them, but three where there are so many. All of the test samples stay.

    Args:
        settings: complete ones.
        scale: above 0; 1 leaves everything as it is.
    """
    if scale == 1:
        return dict(settings)
    kept = max(min(LEAST_SEEDS, len(settings["seeds"])), math.ceil(scale * len(settings["seeds"])))
    shrunk = {
        key: max(1, round(scale * settings[key]))
        for key in algorithm_of(settings).epoch_settings
        if key in settings
    }
    return {
        **settings,
        **shrunk,
        "subset_fraction": scale * settings["subset_fraction"],
        "seeds": settings["seeds"][:kept],
    }


def describe(scale: float) -> str:
    """What every table says of the scale of its searches."""
    return "Full scale." if scale == 1 else f"Scale {scale:g}."


def explained(scale: float) -> str:
    """What a page or file says once of the scale of its searches."""
    if scale == 1:
        return "Full scale: epochs, data and seeds are as configured."
    return (
        f"Scale {scale:g}: epochs and data are multiplied by {scale:g} (a round has at least 1"
        " epoch, data at least 2,000 samples where there are so many), and so are the numbers of"
        f" seeds (at least {LEAST_SEEDS} where so many are named)."
    )
