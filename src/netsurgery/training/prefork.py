"""Initialisation of TensorFlow that a server does once for all the processes it forks.

TensorFlow's context must not exist yet when a process forks, because the child would lack its
threads. Nothing here creates it.
"""

from __future__ import annotations

import tensorflow as tf

from netsurgery.training import tensorflow_internals
from netsurgery.training.malloc import trim


def warm_up_tensorflow() -> None:
    """Do what the first operations of a job would wait for: a third of its start-up time."""
    _generate_matmul_kernels()
    # TensorFlow looks for an operation with the name of each function
    tensorflow_internals.list_operations()
    tensorflow_internals.register_xla_kernels()
    trim()  # otherwise each child would walk through the free memory, and so copy it


def _generate_matmul_kernels() -> None:
    """Make oneDNN generate its kernels for matrix products, 8 MB of code.

    The first product triggers it, whatever its shape; TensorFlow's own convolutions need them, too.
    TensorFlow evaluates products of constants in the calling thread while it builds a graph.
    """
    with tf.Graph().as_default():
        ones = tf.ones((16, 16))
        tensorflow_internals.compute_without_context(tf.matmul(ones, ones))
