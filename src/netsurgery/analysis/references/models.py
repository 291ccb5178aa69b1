"""The reference models for a dataset, and their test metrics."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from netsurgery.analysis.references import rocket, warping
from netsurgery.datasets import Samples
from netsurgery.storage.random_streams import random_stream

MAX_OPERATIONS = 5e10  # of a reference model: minutes
BOOSTING, NEIGHBOUR, ROCKET = "gradient boosting", "1-NN, time warping", "ROCKET"


@dataclass(frozen=True)
class Task:
    """The training and test samples of a reference model.

    Attributes:
        x: of the training samples.
        y: class numbers (n,), or scaled targets (n, targets).
        x_test: of the test samples.
        classes: whether y are classes.
        seed: of the search.
    """

    x: np.ndarray
    y: np.ndarray
    x_test: np.ndarray
    classes: bool
    seed: int


def gradient_boosting(task: Task) -> np.ndarray:
    """Classes or targets of the test samples by scikit-learn's histogram gradient boosting."""
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    if task.classes:
        trees = HistGradientBoostingClassifier(random_state=task.seed).fit(task.x, task.y)
        return trees.predict(task.x_test)
    columns = [
        HistGradientBoostingRegressor(random_state=task.seed).fit(task.x, y).predict(task.x_test)
        for y in task.y.T
    ]
    return np.stack(columns, axis=1)


def nearest_neighbour(task: Task) -> np.ndarray:
    """Classes or targets of the nearest training series."""
    return task.y[warping.nearest_neighbours(task.x_test, task.x)]


def random_convolutions(task: Task) -> np.ndarray:
    """Classes or targets by ridge regression on the features of random convolutions."""
    from sklearn.linear_model import RidgeClassifierCV, RidgeCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    rng = random_stream(task.seed, "rocket")
    steps, channels = task.x.shape[1:]
    kernels = [rocket.random_kernel(rng, steps, channels) for _ in range(rocket.KERNELS)]
    ridge = (RidgeClassifierCV if task.classes else RidgeCV)(alphas=np.logspace(-3, 3, 10))
    linear = make_pipeline(StandardScaler(), ridge).fit(rocket.features(task.x, kernels), task.y)
    return linear.predict(rocket.features(task.x_test, kernels)).reshape(-1, *task.y.shape[1:])


def reference_models(
    data: Mapping[str, Any], training: Samples, test: Samples, seed: int
) -> list[dict[str, Any]]:
    """Train the reference models for a dataset on the training samples.

    Args:
        data: description of the prepared dataset.
        training: the training samples.
        test: the test samples.
        seed: of the search.

    Returns:
        Of each model its name and, as JSON values, its test metrics and the seconds that it took;
        or why it was not trained.
    """
    # before the limit, which holds for the libraries that are loaded: several threads on a busy
    # machine wait for each other for minutes
    import sklearn.ensemble
    import sklearn.linear_model  # noqa: F401
    from threadpoolctl import threadpool_limits

    rows: list[dict[str, Any]] = []
    with threadpool_limits(1):  # a job has one core
        for name, predict, is_series in _models(data):
            if is_series and (why := _too_large(name, training, test)):
                rows.append({"name": name, "why": why})
                continue
            started = time.perf_counter()
            found = predict(_task(training, test, seed, is_series))
            seconds = time.perf_counter() - started
            rows.append({"name": name, "test_metrics": metrics(found, test), "seconds": seconds})
    return rows


def _models(
    data: Mapping[str, Any],
) -> list[tuple[str, Callable[[Task], np.ndarray], bool]]:
    """The models for a dataset, and whether they take series; none for images."""
    if data["features"] or len(data["shape"]) == 1:
        return [(BOOSTING, gradient_boosting, False)]
    if len(data["shape"]) == 2:
        return [(NEIGHBOUR, nearest_neighbour, True), (ROCKET, random_convolutions, True)]
    return []


def _too_large(name: str, training: Samples, test: Samples) -> str:
    """Why a model of series would take too long; empty if it does not."""
    n, m = len(training.indices), len(test.indices)
    steps, channels = training.x.shape[1:]
    if name == NEIGHBOUR:
        operations = n * m * steps * channels * 2 * warping.window_of(steps)
    else:
        operations = (n + m) * steps * rocket.KERNELS * np.mean(rocket.LENGTHS)
    return "too many or too long series" if operations > MAX_OPERATIONS else ""


def _task(training: Samples, test: Samples, seed: int, is_series: bool) -> Task:
    def inputs(samples: Samples) -> np.ndarray:
        if is_series:
            return samples.inputs(np.arange(len(samples.indices)))
        # trees need no scaling, and know what to do with missing values
        return samples.x[samples.indices].reshape(len(samples.indices), -1)

    y = training.y[training.indices]
    scaled = y if training.target is None else training.target.apply(y)
    return Task(inputs(training), scaled, inputs(test), training.target is None, seed)


def metrics(found: np.ndarray, test: Samples) -> dict[str, float]:
    """The test metrics of classes, or of scaled targets, as networks have them.

    Args:
        found: (n,) class numbers, or (n, targets).
        test: the test samples.
    """
    y, target = test.y[test.indices], test.target
    if target is None:
        return {"accuracy": float(np.mean(found == y))}
    unit = 1 / target.of_values.scale
    error = found - target.apply(y).astype(np.float64)  # in standard deviations of the target
    true = target.apply(y).astype(np.float64) * unit / unit.max()
    squares = float(np.mean((error * unit / unit.max()) ** 2))
    variance = float(np.mean(true**2) - np.mean(true) ** 2)
    return {
        "mae": float(np.mean(abs(error) * unit)),
        "rmse": float(np.sqrt(squares) * unit.max()),
        "r2": 1 - squares / variance if variance else 0.0,
    }
