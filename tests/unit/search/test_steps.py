"""Names of training steps."""

import pytest

from netsurgery.search.steps import (
    Phase,
    Step,
    bracket_slot,
    branch_step,
    recuperation_step,
)


@pytest.mark.parametrize(
    ("name", "step"),
    [
        ("warm-up", Step(Phase.WARM_UP)),
        ("recuperation", Step(Phase.RECUPERATION)),
        (recuperation_step("g01c00"), Step(Phase.RECUPERATION, candidate="g01c00")),
        (
            bracket_slot("phase1/add_dense", 2, 3),
            Step(Phase.PHASE1, operation="add_dense", number=2, slot=3),
        ),
        (bracket_slot("phase2", 1, 0), Step(Phase.PHASE2, number=1)),
        (branch_step(2, 1), Step(Phase.TRY, number=2, slot=1)),
        ("final", Step(Phase.FINAL)),
    ],
)
def test_a_name_says_what_the_step_is(name, step):
    assert Step.parse(name) == step


def test_steps_of_a_generation_are_in_order():
    names = [
        recuperation_step("g01c00"),
        "phase1/identity/round1/slot4",
        "phase1/identity/round2/slot0",
        "phase2/round1/slot9",
        "phase2/round2/slot0",
    ]
    orders = [Step.parse(name).order for name in names]
    assert orders == sorted(set(orders))


def test_a_slot_knows_its_bracket():
    assert Step.parse("phase1/add_dense/round1/slot0").bracket == "phase1/add_dense"
    assert Step.parse("phase2/round3/slot1").bracket == "phase2"


@pytest.mark.parametrize("name", ["", "phase3/round1/slot0", "phase2/slot", "try/slot0x"])
def test_other_text_is_no_name(name):
    with pytest.raises(ValueError, match="is not the name of a training step"):
        Step.parse(name)
