"""Surgery on the models of `keras.applications` with random weights: offered, done, trained on.

    PYTHONPATH=src .venv/bin/python -m benchmarks.keras_applications [NAME ...]

Normalizations have the statistics of random images. It prints a table: layers, how long it takes to
read a model and to list what it allows, how many mutations that are and how many of them exact, how
many operations were done once each, the largest change of a prediction by the exact ones, relative
to the largest prediction, and how many children Keras alone loaded and trained for one step.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import keras
import numpy as np

from netsurgery.keras_io import archive, model_surgery, reading
from netsurgery.keras_io.model_surgery import LegalMutation
from netsurgery.surgery import OPERATIONS

MODELS = {
    "ResNet50": 32,
    "MobileNetV2": 32,
    "EfficientNetB0": 32,
    "DenseNet121": 32,
    "Xception": 71,
    "InceptionV3": 75,
}
CLASSES, SAMPLES = 10, 4


def samples(side: int, count: int = SAMPLES) -> np.ndarray:
    """Random images with values of 0 to 255."""
    return np.random.default_rng(0).uniform(0, 255, (count, side, side, 3)).astype("f4")


def settle(model: keras.Model, side: int) -> None:
    """Give normalizations the statistics of samples: else random weights predict nothing."""
    norms = [each for each in model.layers if isinstance(each, keras.layers.BatchNormalization)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = 0.0
    model(samples(side, 8 * SAMPLES), training=True)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum


def one_of_each(offers: list[LegalMutation]) -> list[LegalMutation]:
    """The offer of each operation that lies in the middle of the network."""
    by_name: dict[str, list[LegalMutation]] = {}
    for offer in offers:
        by_name.setdefault(offer.mutation.operation.name, []).append(offer)
    return [found[len(found) // 2] for found in by_name.values()]


def measure(name: str, side: int) -> list[str]:
    """One row of the table."""
    build = getattr(keras.applications, name)
    model = build(weights=None, input_shape=(side, side, 3), classes=CLASSES)
    model.compile("sgd", "sparse_categorical_crossentropy")
    settle(model, side)
    x, y = samples(side), np.arange(SAMPLES) % CLASSES
    before = np.asarray(model(x, training=False))
    start = time.perf_counter()
    network, _ = reading.read(model)
    seconds = [time.perf_counter() - start]
    offers = model_surgery.list_mutations(model, OPERATIONS)
    seconds.append(time.perf_counter() - start)
    chosen, change, trained = one_of_each(offers), 0.0, 0
    for offer in chosen:
        child = model_surgery.apply(model, offer.mutation).model
        with tempfile.TemporaryDirectory() as folder:
            archive.save(child, Path(folder, "child.keras"))
            alone = keras.models.load_model(Path(folder, "child.keras"))
        after = np.asarray(alone(x, training=False))
        if offer.exact:
            change = max(change, float(np.abs(after - before).max() / np.abs(before).max()))
        trained += trains(alone, x, y)
        print(f"  {name}: {offer.mutation.operation} at {offer.mutation.position}", flush=True)
    exact = sum(offer.exact for offer in offers)
    layers = len(network.topology.steps)
    return [
        *(name, f"{side}x{side}", str(layers), *(f"{each:.1f}" for each in seconds)),
        *(f"{len(offers):,}", f"{exact:,}", str(len(chosen)), f"{change:.1e}", str(trained)),
    ]


def trains(model: keras.Model, x: np.ndarray, y: np.ndarray) -> bool:
    """Whether a step of training leaves finite weights; eagerly, as tracing takes minutes."""
    model.compile("sgd", "sparse_categorical_crossentropy", run_eagerly=True)
    model.fit(x, y, verbose=0)
    return all(np.isfinite(array).all() for array in model.get_weights())


def main(names: list[str]) -> None:
    """Print a table for some models."""
    header = "model, input, layers, seconds to read, and to list, offers, exact".split(", ")
    header += ["operations done", "largest change", "loaded and trained by Keras"]
    rows = [measure(name, MODELS[name]) for name in names or MODELS]
    for row in [header, ["---"] * len(header), *rows]:
        print(f"| {' | '.join(row)} |")


if __name__ == "__main__":
    main(sys.argv[1:])
