"""Whether a search can train a user's Keras model: found before any job starts."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from netsurgery.keras_io import kept_calls, kept_layers
from netsurgery.keras_io.effects import low_precision
from netsurgery.keras_io.kept_calls import KeptCall
from netsurgery.keras_io.keras_errors import first_line
from netsurgery.networks.layers import Activation, KeptJoin, KernelLayer, Other
from netsurgery.networks.network import Network
from netsurgery.training.forward import forward

SAMPLES, LENGTH = 2, 8  # how many samples are tried; the length of an axis of any length
TOLERANCE = 1e-3  # relative to the largest output
OPERATE = "mutate it with netsurgery operate, and train it yourself"


def why_not(model: keras.Model, network: Network) -> str | None:
    """Why a search cannot train a model; None if it can.

    Args:
        model: as Keras has it.
        network: the same as surgery knows it.
    """
    topology = network.topology
    if not network.finite:
        return "its weights are not finite, so its training has diverged"
    if len(topology.output_shape) != 1:
        return (
            f"its output has the shape {topology.output_shape}, not one axis of classes or targets"
        )
    last = topology.layers[-1]
    if not isinstance(last, KernelLayer | Activation):
        return (
            f"it ends with {last}, whose activation searches do not know: end it with a dense or an"
            " activation layer"
        )
    try:
        kept = _made(network)
    except ValueError as reason:
        return f"{reason}: {OPERATE}"
    return _difference(model, network, kept)


def _made(network: Network) -> dict[int, KeptCall]:
    """The layers that surgery keeps as they are, ready for calls.

    Raises:
        ValueError: one cannot be made.
    """
    topology, made = network.topology, {}
    for i, layer in enumerate(topology.layers):
        if not isinstance(layer, Other | KeptJoin):
            continue
        made[i] = kept_calls.make(layer)
        parts = kept_layers.inner_layers(made[i].keras_layer)
        if any(getattr(part, "stateful", False) for part in parts):
            raise ValueError(
                f"layer {topology.places[i]} ({layer}) carries its state from one batch to the next"
                " (stateful=True), which searches do not"
            )
    return made


def _difference(model: keras.Model, network: Network, kept: dict[int, KeptCall]) -> str | None:
    """What differs between Keras and a search for a few random samples; None if nothing does."""
    topology = network.topology
    sides = [LENGTH if side is None else side for side in topology.input_shape]
    x = np.random.default_rng(0).uniform(0, 2, (SAMPLES, *sides)).astype(np.float32)
    seed = tf.constant([0, 0])

    def passed(*, training: bool) -> Any:
        mode: dict[str, Any] = {"training": training, "seed": seed, "kept": kept}
        return forward(topology, network.weights, tf.constant(x), **mode).output.numpy()

    try:
        expected = np.asarray(model(x, training=False))
        passed(training=True)
        found = passed(training=False)
    except Exception as failed:  # whatever Keras and TensorFlow raise
        return f"searches cannot compute it ({first_line(failed)}): {OPERATE}"
    difference = float(np.abs(found - expected).max())
    if low_precision(model) or difference <= TOLERANCE * max(1.0, float(np.abs(expected).max())):
        return None
    return (
        f"searches would not compute what Keras does: outputs differ by {difference:.2g}, for"
        f" example because of a mask: {OPERATE}"
    )
