"""What is done before forking: forked processes need not do it again."""

import platform
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the fork server is for Linux")

# prints whether TensorFlow's context is there, and what each of five children prints
CHILDREN = """
import gc, os, sys, time
from netsurgery.processes.tensorflow_imports import without_optional_packages
with without_optional_packages():
    from netsurgery import training
import tensorflow as tf
from tensorflow.python.eager import context

def code():
    lines = [line.split() for line in open("/proc/self/maps")]
    parts = [line[0].split("-") for line in lines if "x" in line[1] and len(line) < 6]
    return sum(int(end, 16) - int(start, 16) for start, end in parts)

def first_operation():
    training.use_one_thread()
    begun = time.perf_counter()
    tf.constant(0.0)
    print(time.perf_counter() - begun, flush=True)

def code_of_products():
    before = code()
    x = tf.ones((50, 70))
    tf.matmul(x, x, transpose_b=True), tf.matmul(x, x, transpose_a=True)
    tf.nn.conv2d(tf.ones((2, 8, 8, 3)), tf.ones((3, 3, 3, 4)), 1, "SAME")
    print(before, code(), flush=True)

if sys.argv[2] == "prepared":
    training.warm_up_tensorflow()
print(context.context()._context_handle, flush=True)
gc.freeze()
for _ in range(5):
    if not (child := os.fork()):
        try:
            globals()[sys.argv[1]]()
        finally:
            os._exit(0)
    os.waitpid(child, 0)
"""


def children(task, state):
    command = [sys.executable, "-c", CHILDREN, task, state]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    return said[0], [[float(word) for word in line.split()] for line in said[1:]]


@pytest.mark.skipif(platform.machine() != "x86_64", reason="written for this processor alone")
def test_code_for_products_is_written_once():
    context, prepared = children("code_of_products", "prepared")
    assert context == "None"  # it would not outlive the fork
    assert all(before == after > 0 for before, after in prepared)
    _, unprepared = children("code_of_products", "unprepared")
    assert all(before == 0 < after for before, after in unprepared)


def test_the_first_operation_waits_for_less():
    _, prepared = children("first_operation", "prepared")
    _, unprepared = children("first_operation", "unprepared")
    assert len(prepared) == len(unprepared) == 5
    assert min(prepared)[0] < 0.3 * min(unprepared)[0]
