"""Training and evaluating one network, the same way wherever and whenever it runs.

`samples` gathers batches, `forward` says what a network computes, `learner` holds its variables
and its optimizer, `memory` what that remembers, `measures` sums up losses and metrics,
`keras_metrics` those of Keras's that gather by themselves, `keras_objects` makes what settings
name, `graphs` keeps what was traced for others, `onednn` puts faster operations into it, `heap`
keeps memory, `forking` does beforehand what each process would do, `course` trains and scores.
There is one thread, and the order of the samples comes from the caller's generator, so that a
training step gives the same weights every time.
"""

from __future__ import annotations

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from tensorflow.errors import ResourceExhaustedError

from netsurgery.training.graphs import GraphCache
from netsurgery.training.keras_objects import compile_model
from netsurgery.training.loop import TrainingLoop, evaluate, finite
from netsurgery.training.malloc import disable_trim
from netsurgery.training.model import TrainableNetwork, device, use_one_thread
from netsurgery.training.prefork import warm_up_tensorflow

__all__ = [
    "GraphCache",
    "ResourceExhaustedError",
    "TrainableNetwork",
    "TrainingLoop",
    "compile_model",
    "device",
    "disable_trim",
    "evaluate",
    "finite",
    "use_one_thread",
    "warm_up_tensorflow",
]
