"""The time that a network takes to train and to be scored, by short measurements."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence

import numpy as np
import tensorflow as tf

from netsurgery.networks.layers import Shape
from netsurgery.search.speed import SCORING
from netsurgery.training import onednn
from netsurgery.training.loop import TrainingLoop

REPETITIONS = 4  # of which the shortest counts
SECONDS, MAX_BATCHES = 0.03, 8  # of a repetition
SCORED = 250  # samples


def can_gain(shape: Shape) -> bool:
    """Whether bfloat16 may be faster for samples of a shape: on GPUs, and on processors with it.

    Small samples leave too little work.
    """
    if tf.config.list_physical_devices("GPU"):
        return True
    return onednn.has_bfloat16() and onednn.is_faster(math.prod(shape))


def clock() -> float:
    """Seconds of the processor, or of the wall if a GPU trains: other jobs take turns."""
    on_gpu = tf.config.list_physical_devices("GPU")
    return time.perf_counter() if on_gpu else time.process_time()


def measure(
    loop_in: Callable[[str], TrainingLoop], precisions: Sequence[str], scored: int = 0
) -> dict[str, float]:
    """Train a network for some batches in each precision, in turns, and take the shortest times.

    Args:
        loop_in: makes the training of the network in a precision; measuring changes its network.
        precisions: to compare.
        scored: samples to score; 0 measures no scoring.

    Returns:
        Seconds to train a batch, by precision, and as `SCORING` those to score the samples.
    """
    loops = {precision: loop_in(precision) for precision in precisions}
    for loop in loops.values():
        loop.seconds(1)  # makes the kernels
    batches = {
        precision: max(1, min(MAX_BATCHES, round(SECONDS / max(loop.seconds(1), 1e-6))))
        for precision, loop in loops.items()
    }
    found = dict.fromkeys(loops, math.inf)
    for _ in range(REPETITIONS):
        for precision, loop in loops.items():
            count = batches[precision]
            found[precision] = min(found[precision], loop.seconds(count) / count)
    if scored:
        found[SCORING] = _seconds_to_score(next(iter(loops.values())), scored)
    return found


def _seconds_to_score(loop: TrainingLoop, samples: int) -> float:
    """Seconds to score so many samples, from those of a part of them."""
    part = np.arange(min(SCORED, samples), dtype=np.int32) % loop.evaluation.samples
    shortest = math.inf
    for _ in range(REPETITIONS):
        start = clock()
        loop.evaluation.sums(part)
        shortest = min(shortest, clock() - start)
    return shortest * samples / len(part)
