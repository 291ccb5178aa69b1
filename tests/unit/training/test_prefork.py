"""What a server does before it forks saves time in every forked process."""

import functools
import platform
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the fork server is for Linux")

# prints whether TensorFlow has a context, and what each of five children prints
CHILDREN = """
import gc, os, sys, time
from netsurgery.processes.tensorflow_imports import without_optional_packages
with without_optional_packages():
    from netsurgery import training
import tensorflow as tf
from netsurgery.training.tensorflow_internals import eager_context

def executable_bytes():
    lines = [line.split() for line in open("/proc/self/maps")]
    parts = [line[0].split("-") for line in lines if "x" in line[1] and len(line) < 6]
    return sum(int(end, 16) - int(start, 16) for start, end in parts)

def first_operation():
    training.use_threads()
    begun = time.perf_counter()
    tf.constant(0.0)
    print(time.perf_counter() - begun, flush=True)

def matmul_kernels():
    before = executable_bytes()
    x = tf.ones((50, 70))
    tf.matmul(x, x, transpose_b=True), tf.matmul(x, x, transpose_a=True)
    tf.nn.conv2d(tf.ones((2, 8, 8, 3)), tf.ones((3, 3, 3, 4)), 1, "SAME")
    print(before, executable_bytes(), flush=True)

if sys.argv[1] == "prepared":
    training.warm_up_tensorflow()
print(eager_context()._context_handle, flush=True)
gc.freeze()
for task in [first_operation, matmul_kernels] * 5:
    if not (child := os.fork()):
        try:
            task()
        finally:
            os._exit(0)
    os.waitpid(child, 0)
"""


@functools.cache
def children(state):
    """Whether there is a context, seconds of the first operation, bytes before and after others."""
    command = [sys.executable, "-c", CHILDREN, state]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    context, *lines = done.stdout.splitlines()
    numbers = [[float(word) for word in line.split()] for line in lines]
    return context, [line[0] for line in numbers[::2]], numbers[1::2]


@pytest.mark.skipif(platform.machine() != "x86_64", reason="oneDNN generates code for x86_64 alone")
def test_matmul_kernels_are_generated_once():
    context, _, prepared = children("prepared")
    assert context == "None"  # it would not outlive the fork
    assert all(before == after > 0 for before, after in prepared)
    _, _, unprepared = children("unprepared")
    assert all(before == 0 < after for before, after in unprepared)


def test_the_first_operation_is_faster():
    (_, prepared, _), (_, unprepared, _) = children("prepared"), children("unprepared")
    assert len(prepared) == len(unprepared) == 5
    assert min(prepared) < 0.6 * min(unprepared)
