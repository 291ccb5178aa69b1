"""TensorFlow's private interfaces that training uses; every one of them is optional.

They only save time. Where a version of TensorFlow lacks one, training takes the public way: it
traces its functions in every process, computes with TensorFlow's default kernels, and does in
every job what the server would have done once.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import tensorflow as tf

if TYPE_CHECKING:
    from tensorflow.core.framework.function_pb2 import FunctionDef as FunctionDef
    from tensorflow.core.framework.node_def_pb2 import NodeDef as NodeDef

TESTED_VERSIONS = ("2.21.0",)

MAX_POOL, MAX_POOL_GRADIENT = "MaxPool", "MaxPoolGrad"
# operations, and the names of their oneDNN versions, which have the same inputs and outputs except
# for the workspace of max pooling
ONEDNN_OPERATIONS = {
    "AvgPool": "_MklNativeAvgPool",
    "AvgPoolGrad": "_MklNativeAvgPoolGrad",
    "Conv2D": "_MklNativeConv2D",
    "Conv2DBackpropFilter": "_MklNativeConv2DBackpropFilter",
    "Conv2DBackpropInput": "_MklNativeConv2DBackpropInput",
    "FusedBatchNormGradV3": "_MklNativeFusedBatchNormGradV3",
    "FusedBatchNormV3": "_MklNativeFusedBatchNormV3",
    "MatMul": "_MklMatMul",
    MAX_POOL: "_MklNativeMaxPool",
    MAX_POOL_GRADIENT: "_MklNativeMaxPoolGrad",
}
ONEDNN_FUSED_CONV = "_MklNativeFusedConv2D"
ONEDNN_KERNEL_LABEL = b"MklNameChangeOp"  # the label under which these kernels are registered


def _find(module: str, name: str) -> Any:
    """An attribute of a module of TensorFlow, or None if this version has no such attribute."""
    try:
        return getattr(importlib.import_module(module), name, None)
    except ImportError:
        return None


find_operation = _find("tensorflow.python.framework.op_def_registry", "get")
evaluate_constant = _find("tensorflow.python.framework.tensor_util", "try_evaluate_constant")
eager_context = _find("tensorflow.python.eager.context", "context")
Context = _find("tensorflow.python.eager.context", "Context")


def has_operation(name: str) -> bool:
    """Whether this TensorFlow has an operation of that name, as far as it lets us look."""
    return find_operation is not None and find_operation(name) is not None


def can_load_functions() -> bool:
    """Whether this TensorFlow lets a process define functions that another process traced."""
    methods = ("has_function", "add_function_def")
    return eager_context is not None and all(hasattr(Context, name) for name in methods)


def load_functions(functions: Iterable[FunctionDef]) -> None:
    """Define functions in this process, unless it has them; see `can_load_functions`."""
    context = eager_context()
    for definition in functions:
        if not context.has_function(definition.signature.name):
            context.add_function_def(definition)


def compute_without_context(tensor: tf.Tensor) -> None:
    """Compute a tensor of a graph in this thread, without initialising TensorFlow's context."""
    if evaluate_constant is not None:
        evaluate_constant(tensor)


def list_operations() -> None:
    """Make TensorFlow list its operations, as it does when it first meets an unknown name."""
    has_operation("NoSuchOperation")


def register_xla_kernels() -> None:
    """Register the kernels of XLA, which TensorFlow otherwise does for the first graph."""
    # imported here: only the server calls this
    list_kernels = _find("tensorflow.python.util.pywrap_xla_ops", "get_cpu_kernel_names")
    if list_kernels is not None:
        list_kernels()
