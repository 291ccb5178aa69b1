"""Children of Keras models, and what makes them sound.

A sound child loads, predicts what was announced, satisfies its constraints, and trains a step.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from netsurgery.keras_io import archive, model_surgery, user_files
from netsurgery.surgery import ECTONAS, OPERATIONS, SURGEON, Operation

OF_PAPERS = tuple(each for each in OPERATIONS if each in (*ECTONAS, *SURGEON))
ROUNDING = 3e-6  # Keras computes in float32
HALF_ROUNDING = 0.1


def samples(model: keras.Sequential, count: int = 4) -> np.ndarray:
    shape = (count, *(9 if size is None else size for size in model.input_shape[1:]))
    return np.random.default_rng(2).uniform(0, 1, shape).astype("f4")


def predicted(model: keras.Sequential, x: np.ndarray) -> np.ndarray:
    return np.asarray(model(x, training=False)).astype("f8")


def train_step(model: keras.Sequential) -> None:
    x = samples(model)
    model.train_on_batch(x, np.ones((len(x), *model.output_shape[1:]), "f4"))


def compiled(model: keras.Sequential, optimizer: Any = "adam") -> keras.Sequential:
    """The model, compiled and trained for two steps; eagerly, as tracing takes seconds."""
    model.compile(optimizer, "mse", run_eagerly=True)
    for _ in range(2):
        train_step(model)
    return model


def check_children(
    model: keras.Sequential,
    path: Path | None = None,
    operations: Sequence[Operation] = OF_PAPERS,
) -> set[str]:
    """Apply one mutation of each operation that the model allows; return their names."""
    x, offers = samples(model), model_surgery.list_mutations(model, operations)
    before, done = predicted(model, x), dict[str, model_surgery.ModelMutationResult]()
    for offer in offers:
        name = offer.mutation.operation.name
        if name in done:
            continue
        done[name] = result = model_surgery.apply(model, offer.mutation)
        child, after = result.model, predicted(result.model, x)
        assert sum(int(np.prod(v.shape)) for v in child.trainable_weights) == offer.parameters
        assert ("; exact" in result.summary) == offer.exact, result.summary
        assert "\n" not in result.summary
        assert after.shape == before.shape
        if offer.exact or "rounding" in result.summary:
            limit = ROUNDING if offer.exact else HALF_ROUNDING
            assert np.abs(after - before).max() <= limit * max(1, np.abs(before).max()), name
        check_constraints(child)
    for name in (next(iter(done)), list(done)[-1]):
        train_step(done[name].model) if model.compiled else None
        if path is not None:
            check_file(done[name].model, x, path)
    return set(done)


def check_constraints(model: keras.Sequential) -> None:
    for variable in model.trainable_variables:
        if variable.constraint is not None:
            np.testing.assert_allclose(
                variable.constraint(variable.value), np.asarray(variable), atol=1e-5
            )


def check_file(model: keras.Sequential, x: np.ndarray, path: Path) -> None:
    archive.save(model, path)
    read = user_files.read_model(path)
    np.testing.assert_allclose(predicted(read, x), predicted(model, x), rtol=1e-5, atol=1e-6)
    if model.compiled:
        for written, found in zip(model.optimizer.variables, read.optimizer.variables, strict=True):
            np.testing.assert_array_equal(np.asarray(found), np.asarray(written))
