"""A user's model with several inputs needs a dataset that has them."""

from __future__ import annotations

import re

import pytest

from netsurgery.config.starting_models import StartingModel
from netsurgery.networks.layers import Shape, input_parts
from netsurgery.networks.topologies import build

OWN = {"features": (3,), "image": (3, 4, 1)}
MODEL = StartingModel(
    "m.keras", "", build([{"conv": {"channels": 2}}], (15,), 2, inputs=input_parts(OWN)), {}
)


@pytest.mark.parametrize(
    ("inputs", "shape", "reason"),
    [
        (OWN, (15,), None),
        ({"features": (1,), "image": (1, 1, 1)}, None, None),  # the shapes are not known yet
        ({}, (15,), "takes features, image, but 'd' has one input"),
        ({"image": (3, 4, 1), "features": (3,)}, (15,), "names and order must be the same"),
        ({**OWN, "features": (4,)}, (16,), "features of 3, .* but 'd' has features of 4"),
    ],
)
def test_inputs_must_be_those_of_the_dataset(
    inputs: dict[str, Shape], shape: Shape | None, reason: str | None
) -> None:
    found = MODEL.why_unsuitable(shape, 2, "classification", "d", None, inputs)
    assert (found is None) == (reason is None)
    assert re.search(reason or "", found or "")


def test_a_model_of_one_input_needs_one() -> None:
    plain = StartingModel("m.keras", "", build([{"dense": {"units": 2}}], (15,), 2), {})
    reason = plain.why_unsuitable((15,), 2, "classification", "d", None, OWN)
    assert reason is not None
    assert "takes one input, but 'd' has features, image" in reason
