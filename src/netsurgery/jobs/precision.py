"""The precision that a search trains in, which its first training decides.

Its record says which one, and all later candidates inherit it: a search that is resumed, with other
cores or on another machine, stays with the decision, and candidates differ in nothing but shape.
"""

from __future__ import annotations

from netsurgery.jobs.training_step import TrainingStep
from netsurgery.objectives.training_settings import AUTO, FLOAT32
from netsurgery.training import TrainableNetwork, TrainingLoop
from netsurgery.training.precision import can_gain, measure


def precision_of_search(step: TrainingStep, network: TrainableNetwork) -> str:
    """What the setting says; if it is `auto`, what is faster here for the initial network.

    Args:
        step: the first one of the search.
        network: the initial one; a copy of it is measured.
    """
    setting = step.training_settings.precision
    if setting != AUTO:
        return setting
    if not can_gain(network.topology.input_shape):
        return FLOAT32

    def loop_in(precision: str) -> TrainingLoop:
        return step.loop(step.trainable(network.network), precision)

    measured = measure(loop_in)
    print(
        f"precision: {measured.faster}; a batch takes {1000 * measured.bfloat16:.3g} ms in bfloat16"
        f" and {1000 * measured.float32:.3g} ms in float32",
        flush=True,
    )
    return measured.faster
