"""Datasets that a configuration can use by name, with few settings or none.

They are the datasets of the papers. ECToNAS's table, Adult, is preprocessed as in the paper:
one-hot encoded, without the columns of unknown values, sex-Male and the rarest native countries,
until 100 features remain; scaled to 0 to 1, shuffled and reshaped into "images". The paper removes
three countries; with the published files it takes four.
"""

from __future__ import annotations

from typing import Any

RAREST_COUNTRIES = ("Holand-Netherlands", "Scotland", "Honduras", "Hungary")

BUILTIN_DATASETS: dict[str, dict[str, Any]] = {
    "digits": {"source": "sklearn", "name": "digits"},
    "mnist": {"source": "tfds", "name": "mnist:3.0.1"},
    "fashion-mnist": {"source": "tfds", "name": "fashion_mnist:3.0.1"},
    "emnist-byclass": {"source": "tfds", "name": "emnist/byclass:3.1.0"},
    "emnist-digits": {"source": "tfds", "name": "emnist/digits:3.1.0"},
    "cifar10": {"source": "tfds", "name": "cifar10:3.0.2"},
    "cifar100": {"source": "tfds", "name": "cifar100:3.0.2"},
    "svhn": {"source": "tfds", "name": "svhn_cropped:3.1.0"},
    "eurosat": {"source": "tfds", "name": "eurosat/rgb:2.0.0"},
    "adult": {
        "source": "csv",
        "header": False,
        "columns": [
            "age",
            "workclass",
            "fnlwgt",
            "education",
            "education-num",
            "marital-status",
            "occupation",
            "relationship",
            "race",
            "sex",
            "capital-gain",
            "capital-loss",
            "hours-per-week",
            "native-country",
            "income",
        ],
        "target": "income",
        "strip_labels": ".",  # the test file's labels end in a full stop
        "missing_indicator": False,
        "drop_features": [
            "sex-Male",
            *(f"native-country-{country}" for country in RAREST_COUNTRIES),
        ],
        "scaling": "range",
        "feature_order_seed": 0,
        "reshape_to": [10, 10],
    },
}
