"""The scale of an experiment: one number that shrinks its epochs, data and seeds together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from netsurgery.search.algorithms import algorithm_of
from netsurgery.search.times import seconds_of, text_of
from netsurgery.storage.fractions import ceil_product, product

MIN_SEEDS = 3  # the fewest that allow a mean and a spread


def scale_settings(settings: Mapping[str, Any], scale: float) -> dict[str, Any]:
    """Return the settings of a search at a scale.

    Every number of epochs is multiplied by the scale, so a search has about as many generations or
    decision points as at full scale. So is the share of the training and validation samples, down
    to `min_subset_size` samples; all test samples stay. The list of seeds keeps its first ones,
    three at least if it has so many.

    Args:
        settings: Complete settings of a search.
        scale: Above 0, at most 1; 1 changes nothing.
    """
    if scale == 1:
        return dict(settings)
    seeds = settings["seeds"]
    kept = max(min(MIN_SEEDS, len(seeds)), ceil_product(scale, len(seeds)))
    epochs = {
        key: _scaled(settings[key], scale)
        for key in algorithm_of(settings).epoch_settings
        if key in settings
    }
    return {
        **settings,
        **epochs,
        "subset_fraction": float(product(scale, settings["subset_fraction"])),
        "seeds": seeds[:kept],
    }


def _scaled(epochs: float | str, scale: float) -> float | str:
    """A number of epochs, or a time, at a scale."""
    if isinstance(epochs, str):
        return text_of(float(product(scale, seconds_of(epochs))))
    return max(1, round(product(scale, epochs)))


def describe_scale(scale: float) -> str:
    """Return the note on the scale of its searches that every table has."""
    return "Full scale." if scale == 1 else f"Scale {scale:g}."


def explain_scale(scale: float) -> str:
    """Return the explanation of the scale that a page or file has once."""
    if scale == 1:
        return "Full scale: epochs, data and seeds are as configured."
    return (
        f"Scale {scale:g}: epochs, data and numbers of seeds are multiplied by {scale:g}. A round"
        " keeps at least 1 epoch, a dataset at least 2,000 samples and a list of seeds at least"
        f" {MIN_SEEDS}, if it has that many."
    )
