"""Training and evaluation of one network, with the same result wherever and whenever it runs.

- `samples` gathers batches;
- `forward` computes a network's output, of what `layers` and `normalization` compute;
- `model` holds its variables, `packing` says which arrays share one, and `optimizer_state` reads
  and writes the state of its optimizer;
- `output_scores` gives the scores of outputs that are computed already;
- `metrics` sums losses and metrics, and `keras_metrics` wraps those of Keras;
- `distillation` lets a network learn from the predictions of another one;
- `keras_objects` builds Keras objects from settings;
- `graphs` caches traced functions, and `onednn` makes them use the kernels of oneDNN;
- `malloc` and `prefork` save start-up time;
- `tensorflow_internals` holds all that is private to TensorFlow;
- `speed` measures how long networks take to train in float32 and bfloat16;
- `compiler` compiles functions of a network over samples, of which `epoch` trains and `evaluation`
  scores it; `batch_parts` splits a batch for several threads;
- `loop` trains and scores in turns, and `latency` measures how long a prediction takes.

Each operation is computed on one thread, and the caller's generator draws the order of the samples,
so a training step always gives the same weights.
"""

from __future__ import annotations

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from tensorflow.errors import ResourceExhaustedError

from netsurgery.training.evaluation import constant_outputs, evaluate
from netsurgery.training.graphs import GraphCache
from netsurgery.training.keras_objects import compile_model
from netsurgery.training.loop import TrainingLoop, finite
from netsurgery.training.malloc import disable_trim
from netsurgery.training.model import TrainableNetwork, device, threads, use_threads
from netsurgery.training.output_scores import score_outputs
from netsurgery.training.prefork import warm_up_tensorflow

__all__ = [
    "GraphCache",
    "ResourceExhaustedError",
    "TrainableNetwork",
    "TrainingLoop",
    "compile_model",
    "constant_outputs",
    "device",
    "disable_trim",
    "evaluate",
    "finite",
    "score_outputs",
    "threads",
    "use_threads",
    "warm_up_tensorflow",
]
