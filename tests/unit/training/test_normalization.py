"""Batches are normalized in bfloat16 as in float32, for any number of channels."""

import numpy as np
import pytest
import tensorflow as tf

from netsurgery.networks.layers import BatchNorm
from netsurgery.training import normalization, onednn
from netsurgery.training.normalization import normalize


def results(dtype, sides, channels):
    """The output for a batch of random numbers, its statistics, and the gradients."""
    rng = np.random.default_rng(0)
    scale = rng.uniform(0.5, 2, channels)
    given = (rng.normal(size=(6, *sides, channels)) * scale + 1, scale, rng.normal(size=channels))
    x, gamma, beta = (tf.constant(each, tf.float32) for each in given)
    x = tf.cast(tf.cast(x, tf.bfloat16), dtype)
    moving = tf.zeros(channels), tf.ones(channels)
    with tf.GradientTape() as tape:
        tape.watch((x, gamma, beta))
        y, statistics = normalize(BatchNorm(), (gamma, beta, *moving), x, training=True)
    upstream = tf.cast(tf.cast(rng.normal(size=y.shape), tf.bfloat16), dtype)
    found = y, *statistics, *tape.gradient(y, (x, gamma, beta), upstream)
    return [tf.cast(each, tf.float32).numpy() for each in found]


@pytest.mark.parametrize("channels", [8, 16, 19])
@pytest.mark.parametrize("sides", [(4, 4), (16,), (3, 5), ()])
def test_bfloat16_only_rounds(sides, channels, monkeypatch):
    monkeypatch.setattr(onednn, "has_bfloat16", lambda: True)
    expected = results(tf.float32, sides, channels)
    for mine, other in zip(results(tf.bfloat16, sides, channels), expected, strict=True):
        np.testing.assert_allclose(mine, other, rtol=2**-7, atol=2**-6 * np.abs(other).max())


def test_pixels_are_joined_into_channels_in_multiples_of_16(monkeypatch):
    monkeypatch.setattr(onednn, "has_bfloat16", lambda: True)
    joined = []
    plain = normalization._normalized_by_itself

    def seen(image, *others):
        joined.append(image.shape[1:])
        return plain(image, *others)

    monkeypatch.setattr(normalization, "_normalized_by_itself", seen)
    for sides, channels in (((4, 4), 19), ((4, 4), 24), ((4, 4), 32), ((3, 5), 19)):
        results(tf.bfloat16, sides, channels)
    results(tf.float32, (4, 4), 19)
    wide = [(1, 1, 304), (1, 8, 48)]
    assert joined == [*wide, (4, 4, 32), (3, 5, 19), (4, 4, 19)]
