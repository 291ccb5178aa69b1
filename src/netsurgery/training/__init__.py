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

from netsurgery.training.course import Course, evaluate, finite
from netsurgery.training.forking import before_forking
from netsurgery.training.graphs import Shelf
from netsurgery.training.heap import keep_freed
from netsurgery.training.keras_objects import compile_model
from netsurgery.training.learner import Learner, device, use_one_thread

__all__ = [
    "Course",
    "Learner",
    "ResourceExhaustedError",
    "Shelf",
    "before_forking",
    "compile_model",
    "device",
    "evaluate",
    "finite",
    "keep_freed",
    "use_one_thread",
]
