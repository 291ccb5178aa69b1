"""The reference models for a dataset, and their test metrics."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from netsurgery.analysis.references import rocket, warping
from netsurgery.datasets import Samples
from netsurgery.objectives.label_scores import LabelCounts
from netsurgery.objectives.number_scores import NumberScores
from netsurgery.objectives.tasks import CLASSIFICATION, REGRESSION
from netsurgery.storage.random_streams import random_stream

MAX_OPERATIONS = 5e10  # of a reference model: minutes
MAX_SIDE = 16  # pixels of an image that trees see
TREES, DEPTH = 100, 5  # of gradient boosting: for each class, and of a tree
BOOSTING, NEIGHBOUR, ROCKET = "gradient boosting", "1-NN, time warping", "ROCKET"


@dataclass(frozen=True)
class Task:
    """The training and test samples of a reference model.

    Attributes:
        x: of the training samples.
        y: class numbers (n,), labels of 0 and 1 (n, labels), or scaled targets (n, targets).
        x_test: of the test samples.
        kind: the task of the dataset.
        seed: of the search.
    """

    x: np.ndarray
    y: np.ndarray
    x_test: np.ndarray
    kind: str
    seed: int


def gradient_boosting(task: Task) -> np.ndarray:
    """What scikit-learn's histogram gradient boosting predicts for the test samples."""
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    seed = {"random_state": task.seed}
    if task.kind == CLASSIFICATION:
        trees = HistGradientBoostingClassifier(**seed).fit(task.x, task.y)
        return trees.predict(task.x_test)

    def predicted(y: np.ndarray) -> np.ndarray:
        if task.kind == REGRESSION:
            return HistGradientBoostingRegressor(**seed).fit(task.x, y).predict(task.x_test)
        if not np.ptp(y):  # there is nothing to learn
            return np.full(len(task.x_test), float(y[0]))
        trees = HistGradientBoostingClassifier(**seed).fit(task.x, y)
        return trees.predict_proba(task.x_test)[:, 1]

    return np.stack([predicted(y) for y in task.y.T], axis=1)


def nearest_neighbour(task: Task) -> np.ndarray:
    """Classes, labels or targets of the nearest training series."""
    return task.y[warping.nearest_neighbours(task.x_test, task.x)]


def random_convolutions(task: Task) -> np.ndarray:
    """What ridge regression on the features of random convolutions predicts."""
    from sklearn.linear_model import RidgeClassifierCV, RidgeCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    rng = random_stream(task.seed, "rocket")
    steps, channels = task.x.shape[1:]
    kernels = [rocket.random_kernel(rng, steps, channels) for _ in range(rocket.KERNELS)]
    ridge = (RidgeClassifierCV if task.kind == CLASSIFICATION else RidgeCV)(
        alphas=np.logspace(-3, 3, 10)
    )
    linear = make_pipeline(StandardScaler(), ridge).fit(rocket.features(task.x, kernels), task.y)
    return linear.predict(rocket.features(task.x_test, kernels)).reshape(-1, *task.y.shape[1:])


def values(samples: Samples) -> np.ndarray:
    """The values of each sample, (n, values): trees need no scaling, and take missing values."""
    return samples.x[samples.indices].reshape(len(samples.indices), -1)


def features(samples: Samples) -> np.ndarray:
    """The rows of features of samples with several inputs, (n, features)."""
    x = samples.x[samples.indices]
    rows = [x[:, part.start : part.stop] for part in samples.parts if len(part.shape) == 1]
    return np.concatenate(rows, axis=1)


def small_images(samples: Samples) -> np.ndarray:
    """The sums over blocks of pixels of each image, (n, values): at most 16 x 16 blocks."""
    images = samples.x[samples.indices].astype(np.float32)
    for axis in (1, 2):
        block = -(-images.shape[axis] // MAX_SIDE)
        images = np.add.reduceat(images, np.arange(0, images.shape[axis], block), axis=axis)
    return images.reshape(len(images), -1)


def series(samples: Samples) -> np.ndarray:
    """The scaled series, (n, steps, channels)."""
    return samples.inputs(np.arange(len(samples.indices)))


def _boosting_operations(training: int, test: int, shape: Sequence[int], outputs: int) -> float:
    size = np.prod([min(side, MAX_SIDE) for side in shape[:2]]) * shape[-1]
    return training * float(size) * TREES * DEPTH * outputs


def _warping_operations(training: int, test: int, shape: Sequence[int], outputs: int) -> float:
    steps, channels = shape
    return training * test * steps * channels * 2.0 * warping.window_of(steps)


def _rocket_operations(training: int, test: int, shape: Sequence[int], outputs: int) -> float:
    return float((training + test) * shape[0] * rocket.KERNELS * np.mean(rocket.LENGTHS))


def _no_limit(training: int, test: int, shape: Sequence[int], outputs: int) -> float:
    return 0.0


@dataclass(frozen=True)
class ReferenceModel:
    """A reference model.

    Attributes:
        name: in tables.
        predict: classes or targets of the test samples.
        inputs: what it sees of the samples.
        operations: that it takes, from the numbers of training and test samples, the shape of a
            sample, and the classes or targets.
    """

    name: str
    predict: Callable[[Task], np.ndarray]
    inputs: Callable[[Samples], np.ndarray]
    operations: Callable[[int, int, Sequence[int], int], float]


TABLES = (ReferenceModel(BOOSTING, gradient_boosting, values, _no_limit),)
ROWS = (ReferenceModel(f"{BOOSTING} on features", gradient_boosting, features, _no_limit),)
SERIES = (
    ReferenceModel(NEIGHBOUR, nearest_neighbour, series, _warping_operations),
    ReferenceModel(ROCKET, random_convolutions, series, _rocket_operations),
)
IMAGES = (
    ReferenceModel(f"{BOOSTING} on pixels", gradient_boosting, small_images, _boosting_operations),
)


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
    counts = len(training.indices), len(test.indices)
    with threadpool_limits(1):  # a job has one core
        for model in _models(data):
            if model.operations(*counts, training.x.shape[1:], data["outputs"]) > MAX_OPERATIONS:
                rows.append({"name": model.name, "why": "too many or too large samples"})
                continue
            started = time.perf_counter()
            found = model.predict(_task(model, training, test, seed))
            seconds = time.perf_counter() - started
            rows.append(
                {"name": model.name, "test_metrics": metrics(found, test), "seconds": seconds}
            )
    return rows


def _models(data: Mapping[str, Any]) -> Sequence[ReferenceModel]:
    """The models for a dataset: rows of a table may be reshaped to images, which mean nothing."""
    if data["inputs"]:
        return ROWS if any(len(each["shape"]) == 1 for each in data["inputs"]) else ()
    if data["features"] or len(data["shape"]) == 1:
        return TABLES
    return SERIES if len(data["shape"]) == 2 else IMAGES


def _task(model: ReferenceModel, training: Samples, test: Samples, seed: int) -> Task:
    y = training.y[training.indices]
    scaled = y if training.target is None else training.target.apply(y)
    inputs = model.inputs(training), model.inputs(test)
    return Task(inputs[0], scaled, inputs[1], training.task, seed)


def metrics(found: np.ndarray, test: Samples) -> dict[str, float]:
    """The test metrics of predictions, as networks have them.

    Args:
        found: (n,) class numbers, (n, labels) probabilities, or (n, targets), scaled.
        test: the test samples.
    """
    y, target = test.y[test.indices], test.target
    if test.task == CLASSIFICATION:
        return {"accuracy": float(np.mean(found == y))}
    if target is None:
        return LabelCounts.of(y, found).scores()
    predicted = target.restore(found / target.scale.astype(np.float64) + target.shift)
    return NumberScores.of(target.restore(y), predicted).scores()
