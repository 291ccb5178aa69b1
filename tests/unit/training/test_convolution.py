"""Convolutions give TensorFlow's results and gradients, in bfloat16 up to rounding."""

import numpy as np
import pytest
import tensorflow as tf

from netsurgery.training import onednn
from netsurgery.training.convolution import NARROW, convolve


def results(function, dtype, side, window, strides, padding):
    """What a convolution of random whole numbers gives, and its gradients."""
    rng = np.random.default_rng(0)
    x, kernel = (
        tf.constant(rng.integers(-2, 3, size=shape), dtype)
        for shape in ((3, side, side, 5), (*window, 5, 4))
    )
    with tf.GradientTape() as tape:
        tape.watch((x, kernel))
        y = function(x, kernel, strides, padding)
    upstream = tf.constant(rng.integers(-1, 2, size=y.shape), dtype)
    found = y, *tape.gradient(y, (x, kernel), upstream)
    return [tf.cast(each, tf.float32).numpy() for each in found]


@pytest.mark.parametrize("side", [NARROW, NARROW + 1])
@pytest.mark.parametrize("window", [(3, 3), (2, 3)])
@pytest.mark.parametrize(("strides", "padding"), [(1, "SAME"), (1, "VALID"), (2, "SAME")])
def test_it_gives_what_tensorflow_gives(side, window, strides, padding, monkeypatch):
    monkeypatch.setattr(onednn, "has_bfloat16", lambda: True)
    settings = side, window, strides, padding
    expected = results(tf.nn.conv2d, tf.float32, *settings)
    for dtype, error in ((tf.float32, 0), (tf.bfloat16, 2**-7)):
        for mine, other in zip(results(convolve, dtype, *settings), expected, strict=True):
            np.testing.assert_allclose(mine, other, rtol=error)
