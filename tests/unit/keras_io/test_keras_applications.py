"""A model of `keras.applications` is read, changed, loaded by Keras alone and trained."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np

from netsurgery.keras_io import archive, model_surgery, reading
from netsurgery.networks.blocks import Residual
from netsurgery.surgery import Mutation, operations


def test_mobilenet_is_widened_saved_and_trained(tmp_path: Path) -> None:
    model = keras.applications.MobileNetV2((32, 32, 3), 0.35, weights=None, classes=4)
    x = np.random.default_rng(0).uniform(-1, 1, (4, 32, 32, 3)).astype("f4")
    before = np.asarray(model(x, training=False))
    network, own = reading.read(model)
    assert sum(isinstance(node, Residual) for node in network.topology.row) == 10
    assert sum(layer.count_params() for layer in own) == model.count_params()
    offers = model_surgery.list_mutations(model, [operations.ADD_CHANNELS])
    offer = next(each for each in offers if each.layer == "block_2_expand")
    assert offer.exact
    result = model_surgery.apply(model, Mutation(operations.ADD_CHANNELS, "block_2_expand"))
    archive.save(result.model, tmp_path / "child.keras")
    child = keras.models.load_model(tmp_path / "child.keras")
    assert sum(int(np.prod(v.shape)) for v in child.trainable_weights) == offer.parameters
    after = np.asarray(child(x, training=False))
    np.testing.assert_allclose(after, before, rtol=0, atol=1e-5 * np.abs(before).max())
    child.compile("sgd", "sparse_categorical_crossentropy", run_eagerly=True)
    child.fit(x, np.arange(4), verbose=0)
    assert all(np.isfinite(array).all() for array in child.get_weights())
