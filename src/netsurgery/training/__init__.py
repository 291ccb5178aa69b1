"""Training and evaluating one network, the same way wherever and whenever it runs.

`samples` gathers batches, `forward` says what a network computes, `learner` holds its variables
and its optimizer, `course` trains and scores it. There is one thread, and the order of the samples
comes from the caller's generator, so that a training step gives the same weights every time.
"""

from __future__ import annotations

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from netsurgery.training.course import Course, evaluate, finite, train
from netsurgery.training.learner import Learner, compile_model, device, use_one_thread

__all__ = [
    "Course",
    "Learner",
    "compile_model",
    "device",
    "evaluate",
    "finite",
    "train",
    "use_one_thread",
]
