"""oneDNN's kernels, put into a graph by name.

TensorFlow would put them there by itself, unless its environment says not to, as that of trainers
does (see `netsurgery.processes.tensorflow_imports`). But then it looks through all kernels of all
its operations for each kind of operation in a graph, in every process: more than half of the time
in which a training job gets ready.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

import tensorflow as tf
from tensorflow.core.framework.function_pb2 import FunctionDef
from tensorflow.core.framework.node_def_pb2 import NodeDef
from tensorflow.python.framework import op_def_registry

FEW = 768  # numbers in a sample: an image of 16x16 with 3 channels

MAX, MAX_GRADIENT = "MaxPool", "MaxPoolGrad"
# operations, and their names with oneDNN's kernels, which take and give the same but for max
# pooling's workspace
KINDS = {
    "AvgPool": "_MklNativeAvgPool",
    "AvgPoolGrad": "_MklNativeAvgPoolGrad",
    "Conv2D": "_MklNativeConv2D",
    "Conv2DBackpropFilter": "_MklNativeConv2DBackpropFilter",
    "Conv2DBackpropInput": "_MklNativeConv2DBackpropInput",
    "FusedBatchNormGradV3": "_MklNativeFusedBatchNormGradV3",
    "FusedBatchNormV3": "_MklNativeFusedBatchNormV3",
    "MatMul": "_MklMatMul",
    MAX: "_MklNativeMaxPool",
    MAX_GRADIENT: "_MklNativeMaxPoolGrad",
}
# a convolution that does at once what follows upon it: to what it computes, in this order
FUSED, FOLLOWING = "_MklNativeFusedConv2D", ("BiasAdd", "Relu")
LABEL = b"MklNameChangeOp"  # under which these kernels are registered


def pays(numbers: int) -> bool:
    """Whether oneDNN is faster for samples of so many numbers.

    It makes its kernels anew in every process, a fifth of the time of a small job; and for samples
    of few numbers they are no faster than TensorFlow's own. On GPUs there is none, nor in every
    TensorFlow.
    """
    there = op_def_registry.get(KINDS["Conv2D"]) is not None
    return numbers > FEW and there and not tf.config.list_physical_devices("GPU")


def put_into(functions: Iterable[FunctionDef]) -> None:
    """Put its kernels into functions, in place, wherever this TensorFlow has one for float32.

    A convolution's bias and the ReLU behind it are computed with it.
    """
    for function in functions:
        nodes = {node.name: node for node in function.node_def}
        for node in nodes.values():
            if not _has_kernel(node):
                continue
            if node.op == MAX_GRADIENT and not _share_workspace(node, nodes):
                continue
            node.op = KINDS[node.op]
            node.attr["_kernel"].s = LABEL
        if op_def_registry.get(FUSED):
            _fuse(function)


def _producer(value: str) -> str:
    """The name of the node that gives a value."""
    return value.lstrip("^").partition(":")[0]


def _fuse(function: FunctionDef) -> None:
    """Let convolutions add the bias and do the ReLU that take nothing but what they give."""
    takers: dict[str, list[NodeDef | None]] = defaultdict(list)  # None: whoever calls the function
    for node in function.node_def:
        for value in node.input:
            takers[_producer(value)].append(node)
    for value in function.ret.values():
        takers[_producer(value)].append(None)
    for convolution in [node for node in function.node_def if node.op == KINDS["Conv2D"]]:
        chain = [convolution]
        for kind in FOLLOWING:
            after = takers[chain[-1].name]
            if len(after) != 1 or after[0] is None or after[0].op != kind:
                break
            chain.append(after[0])
        _, *following = chain
        if following:
            _join(function, convolution, following)


def _join(function: FunctionDef, convolution: NodeDef, following: Sequence[NodeDef]) -> None:
    """Make one operation of a convolution, its bias and perhaps the ReLU behind it."""
    convolution.op = FUSED
    convolution.input.append(following[0].input[1])
    convolution.attr["num_args"].i = 1
    convolution.attr["TArgs"].list.type.append(tf.float32.as_datatype_enum)
    convolution.attr["fused_ops"].list.s.extend(node.op.encode() for node in following)
    last, output = following[-1].name, f"{convolution.name}:output:0"
    for node in following:
        function.node_def.remove(node)
    for node in function.node_def:
        for i, value in enumerate(node.input):
            if _producer(value) == last:
                node.input[i] = output
    for name, value in function.ret.items():
        if _producer(value) == last:
            function.ret[name] = output


def _has_kernel(node: NodeDef) -> bool:
    if node.op not in KINDS or not op_def_registry.get(KINDS[node.op]):
        return False
    return bool(node.attr["T"].type == tf.float32.as_datatype_enum)


def _share_workspace(gradient: NodeDef, nodes: dict[str, NodeDef]) -> bool:
    """Hand max pooling's workspace to its gradient; gives whether the pooling is there."""
    producer = _producer(gradient.input[1])
    pooling = nodes.get(producer)
    if pooling is None or pooling.op not in (MAX, KINDS[MAX]):
        return False
    gradient.input.insert(3, f"{producer}:workspace:0")
    for node in (pooling, gradient):
        node.attr["workspace_enabled"].b = True
    return True
