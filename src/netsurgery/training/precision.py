"""Which precision trains a network faster, by a short measurement."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import tensorflow as tf

from netsurgery.networks.layers import Shape
from netsurgery.objectives.training_settings import BFLOAT16, FLOAT32
from netsurgery.training import onednn
from netsurgery.training.loop import TrainingLoop

GAIN = 1.1  # that bfloat16 must bring: it rounds more
BATCHES, REPETITIONS = 4, 4


@dataclass(frozen=True)
class Measured:
    """Seconds to train a batch in each precision."""

    float32: float
    bfloat16: float

    @property
    def faster(self) -> str:
        """Bfloat16 if it brings enough, else float32."""
        return BFLOAT16 if self.float32 >= GAIN * self.bfloat16 else FLOAT32


def can_gain(shape: Shape) -> bool:
    """Whether bfloat16 may be faster for samples of a shape: on GPUs, and on processors with it.

    Small samples leave too little work.
    """
    if tf.config.list_physical_devices("GPU"):
        return True
    return onednn.has_bfloat16() and onednn.is_faster(math.prod(shape))


def measure(loop_in: Callable[[str], TrainingLoop]) -> Measured:
    """Train some batches in each precision, in turns, and take the shortest times.

    Args:
        loop_in: makes the training of the network in a precision; measuring changes its network.
    """
    loops = {precision: loop_in(precision) for precision in (FLOAT32, BFLOAT16)}
    for loop in loops.values():
        loop.seconds(1)  # makes the kernels
    seconds = dict.fromkeys(loops, math.inf)
    for _ in range(REPETITIONS):
        for precision, loop in loops.items():
            seconds[precision] = min(seconds[precision], loop.seconds(BATCHES) / BATCHES)
    return Measured(seconds[FLOAT32], seconds[BFLOAT16])
