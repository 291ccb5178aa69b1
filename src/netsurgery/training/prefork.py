"""What TensorFlow does once in every process, done for all that are forked from this one.

Its context must not be there when a process is forked: threads would be missing. None of this needs
it.
"""

from __future__ import annotations

import contextlib

import tensorflow as tf
from tensorflow.python.framework import op_def_registry, tensor_util

from netsurgery.training.malloc import trim


def warm_up_tensorflow() -> None:
    """Have done what the first operations of a job would wait for: a third of its preparations."""
    _make_products()
    _miss_an_operation()
    _register_compilers()
    trim()  # or each child would go through what is free, and copy it


def _make_products() -> None:
    """Let oneDNN write its kernels for products of matrices, 8 MB of code.

    The first product does it, whatever its shape, and TensorFlow's own convolutions need them, too.
    Products of constants are computed as while graphs are built: in the calling thread.
    """
    with tf.Graph().as_default():
        ones = tf.ones((16, 16))
        tensor_util.try_evaluate_constant(tf.matmul(ones, ones))


def _miss_an_operation() -> None:
    """Look for an operation that there is not: TensorFlow then lists all, the first time.

    It looks for one with the name of each function.
    """
    op_def_registry.get("NoSuchOperation")


def _register_compilers() -> None:
    """Have XLA's kernels registered, for which it looks in every graph, used or not."""
    with contextlib.suppress(ImportError):  # a part of this TensorFlow, if not of every one
        from tensorflow.python.util import pywrap_xla_ops

        pywrap_xla_ops.get_cpu_kernel_names()
