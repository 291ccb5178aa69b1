"""Graphs that name oneDNN's kernels explicitly, for float32 and bfloat16.

TensorFlow would choose them by itself unless its environment says not to, as that of training jobs
does (see `netsurgery.processes.tensorflow_imports`). But then, in every process, it searches all
kernels of all operations for each kind of operation in a graph: more than half of the start-up time
of a training job.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import tensorflow as tf

from netsurgery.storage import provenance
from netsurgery.training.tensorflow_internals import (
    MAX_POOL,
    MAX_POOL_GRADIENT,
    ONEDNN_FUSED_CONV,
    ONEDNN_KERNEL_LABEL,
    ONEDNN_OPERATIONS,
    has_operation,
)

if TYPE_CHECKING:
    from netsurgery.training.tensorflow_internals import FunctionDef, NodeDef

SMALL_SAMPLE = 768  # numbers in a sample: an image of 16x16 with 3 channels
TYPES = [each.as_datatype_enum for each in (tf.float32, tf.bfloat16)]
BFLOAT16_FLAGS = (
    "avx512_bf16",
    "amx_bf16",
)  # of processors that compute in it
FUSIBLE = ("BiasAdd", "Relu")  # operations that a fused convolution can absorb, in this order


def is_present() -> bool:
    """Whether there is oneDNN: neither GPUs have it nor every build of TensorFlow."""
    if not has_operation(ONEDNN_OPERATIONS["Conv2D"]):
        return False
    return not tf.config.list_physical_devices("GPU")


def is_faster(numbers: int) -> bool:
    """Whether oneDNN is faster in float32 for samples of so many numbers.

    It generates its kernels in every process, a fifth of the time of a small job, and for small
    samples they are no faster than TensorFlow's default ones.
    """
    return numbers > SMALL_SAMPLE and is_present()


def has_bfloat16() -> bool:
    """Whether oneDNN is present, and the processor computes in bfloat16."""
    return is_present() and not provenance.processor_flags().isdisjoint(BFLOAT16_FLAGS)


def use_onednn_kernels(functions: Iterable[FunctionDef]) -> None:
    """Replace the operations of functions, in place, by those of oneDNN.

    A convolution absorbs its bias and the ReLU that follows it.
    """
    for function in functions:
        nodes = {node.name: node for node in function.node_def}
        for node in nodes.values():
            if not _has_kernel(node):
                continue
            if node.op == MAX_POOL_GRADIENT and not _share_workspace(node, nodes):
                continue
            node.op = ONEDNN_OPERATIONS[node.op]
            node.attr["_kernel"].s = ONEDNN_KERNEL_LABEL
        if has_operation(ONEDNN_FUSED_CONV):
            _fuse_convolutions(function)


def _producer(value: str) -> str:
    """The name of the node that produces a value."""
    return value.lstrip("^").partition(":")[0]


def _fuse_convolutions(function: FunctionDef) -> None:
    """Fuse each convolution with the bias and the ReLU that alone consume its output."""
    consumers: dict[str, list[NodeDef | None]] = defaultdict(list)  # None: the caller
    for node in function.node_def:
        for value in node.input:
            consumers[_producer(value)].append(node)
    for value in function.ret.values():
        consumers[_producer(value)].append(None)
    convolutions = [node for node in function.node_def if node.op == ONEDNN_OPERATIONS["Conv2D"]]
    for convolution in convolutions:
        chain = [convolution]
        for operation in FUSIBLE:
            following = consumers[chain[-1].name]
            if len(following) != 1 or following[0] is None or following[0].op != operation:
                break
            chain.append(following[0])
        _, *absorbed = chain
        if absorbed:
            _fuse(function, convolution, absorbed)


def _fuse(function: FunctionDef, convolution: NodeDef, absorbed: Sequence[NodeDef]) -> None:
    """Make one operation of a convolution, its bias and, if it is there, the ReLU after it."""
    convolution.op = ONEDNN_FUSED_CONV
    convolution.input.append(absorbed[0].input[1])
    convolution.attr["num_args"].i = 1
    convolution.attr["TArgs"].list.type.append(convolution.attr["T"].type)
    convolution.attr["fused_ops"].list.s.extend(node.op.encode() for node in absorbed)
    last, output = absorbed[-1].name, f"{convolution.name}:output:0"
    for node in absorbed:
        function.node_def.remove(node)
    for node in function.node_def:
        for i, value in enumerate(node.input):
            if _producer(value) == last:
                node.input[i] = output
    for name, value in function.ret.items():
        if _producer(value) == last:
            function.ret[name] = output


def _has_kernel(node: NodeDef) -> bool:
    if node.op not in ONEDNN_OPERATIONS or not has_operation(ONEDNN_OPERATIONS[node.op]):
        return False
    return node.attr["T"].type in TYPES


def _share_workspace(gradient: NodeDef, nodes: dict[str, NodeDef]) -> bool:
    """Pass the workspace of max pooling to its gradient; False if the pooling is not in `nodes`."""
    producer = _producer(gradient.input[1])
    pooling = nodes.get(producer)
    if pooling is None or pooling.op not in (MAX_POOL, ONEDNN_OPERATIONS[MAX_POOL]):
        return False
    gradient.input.insert(3, f"{producer}:workspace:0")
    for node in (pooling, gradient):
        node.attr["workspace_enabled"].b = True
    return True
