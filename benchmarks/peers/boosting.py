"""The peer `boosting`: scikit-learn's gradient boosting, with a random search of its settings.

The first try has the default settings. Tables keep their columns, text as categories.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from benchmarks.peers.data_sets import TABLE
from benchmarks.peers.task import Clock, Outcome, Task
from scipy.stats import loguniform, randint
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import ParameterSampler

SPACE = {
    "learning_rate": loguniform(0.02, 0.3),
    "max_leaf_nodes": randint(8, 64),
    "min_samples_leaf": randint(5, 50),
    "l2_regularization": loguniform(1e-3, 10),
    "max_features": [0.3, 0.6, 1.0],
    "max_iter": [100, 200, 400],
}


def _inputs(task: Task) -> dict[str, Any]:
    if task.data_set.kind != TABLE:
        return {
            part: task.arrays[f"x_{part}"].reshape(len(task.labels(part)), -1)
            for part in ("train", "val", "test")
        }
    tables = {
        part: pd.read_csv(task.folder / f"{part}.csv").drop(columns="class")
        for part in ("train", "val", "test")
    }
    texts = tables["train"].select_dtypes(exclude="number").columns
    for name in texts:
        categories = pd.CategoricalDtype(sorted(tables["train"][name].dropna().unique()))
        for table in tables.values():
            table[name] = table[name].astype(categories)
    return tables


def run(task: Task, clock: Clock) -> Outcome:
    """Try settings until the time is over."""
    inputs = _inputs(task)
    clock.restart()  # reading tables is loading the data
    best, best_score, tries = None, -1.0, 0
    tried = ParameterSampler(SPACE, 10_000, random_state=task.seed)
    for settings in ({}, *tried):
        model = HistGradientBoostingClassifier(**settings, random_state=task.seed)
        model.fit(inputs["train"], task.labels("train"))
        tries += 1
        score = model.score(inputs["val"], task.labels("val"))
        if score > best_score:
            best, best_score = model, score
        if clock.share >= 1:
            break
    assert best is not None

    def predict() -> np.ndarray:
        return best.predict(inputs["test"])

    return Outcome(predict, None, f"{tries} settings tried, {best.n_iter_} iterations")
