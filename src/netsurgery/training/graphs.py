"""TensorFlow functions as graphs that outlive the process that traced them.

Tracing the loop over an epoch takes longer than training a small network, and several jobs train
one candidate. Its graph depends on its topology and on settings, not on weights: the first job
stores it, the others load it.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import tensorflow as tf

from netsurgery.training.tensorflow_internals import load_functions

MAX_GRAPHS = 500  # graphs in a cache folder, of a few ten kB each
NO_OPTIMIZER = tf.compat.v1.ConfigProto()  # see `use_threads`
NO_OPTIMIZER.graph_options.rewrite_options.disable_meta_optimizer = True

TensorFunction = Callable[..., tf.Tensor]


class OutsideTensorError(Exception):
    """A function uses a tensor that is neither an argument nor a variable it may use."""


@dataclass(frozen=True)
class Graph:
    """A traced function and everything it calls.

    Args:
        definition: their definitions, as the library of a graph without nodes, under globally
            unique names; the function itself comes first.
        captured: which variables it uses, in the order in which it takes them.
    """

    definition: tf.compat.v1.GraphDef
    captured: tuple[int, ...]

    @property
    def functions(self) -> Any:
        """The definitions: a list that can be changed in place."""
        return self.definition.library.function

    def to_bytes(self) -> bytes:
        """A line of JSON, then the definitions as a serialised protocol buffer."""
        return json.dumps(self.captured).encode() + b"\n" + self.definition.SerializeToString()

    @classmethod
    def from_bytes(cls, content: bytes) -> Graph:
        """The inverse of `to_bytes`."""
        head, _, definition = content.partition(b"\n")
        return cls(tf.compat.v1.GraphDef.FromString(definition), tuple(json.loads(head)))


def _calls(node: tf.compat.v1.NodeDef) -> Iterator[Any]:
    """The attributes of a node that name functions."""
    for value in node.attr.values():
        if value.HasField("func"):
            yield value.func
        yield from value.list.func


def as_function(function: TensorFunction, signature: Sequence[tf.TensorSpec]) -> Any:
    """A Python function as one that TensorFlow traces once."""
    return tf.function(function, autograph=False, input_signature=tuple(signature))


def trace(
    function: TensorFunction,
    signature: Sequence[tf.TensorSpec],
    variables: Sequence[tf.Tensor],
    name: str,
) -> Graph:
    """Trace a function.

    Args:
        function: of tensors; it may use variables, but no other tensors from outside.
        signature: of its arguments.
        variables: the handles of the variables it may use.
        name: globally unique.

    Raises:
        OutsideTensorError: it uses another tensor from outside.
    """
    traced = as_function(function, signature).get_concrete_function()
    positions = {id(handle): i for i, handle in enumerate(variables)}
    handles = [id(handle) for handle in traced.captured_inputs]
    if not positions.keys() >= set(handles):
        raise OutsideTensorError
    captured = tuple(positions[handle] for handle in handles)
    graph = Graph(tf.compat.v1.GraphDef(), captured)
    called = traced.graph.as_graph_def().library.function
    graph.functions.extend([traced.function_def, *called])
    names = {each.signature.name: f"{name}_{i}" for i, each in enumerate(graph.functions)}
    for each in graph.functions:
        each.signature.name = names[each.signature.name]
        for node in each.node_def:
            for call in _calls(node):
                call.name = names[call.name]
    return graph


def load(graph: Graph, variables: Sequence[tf.Tensor]) -> TensorFunction:
    """A graph as a function of tensors that returns one float32 tensor.

    Args:
        graph: to run.
        variables: handles that take the places of those it was traced with.
    """
    load_functions(graph.functions)
    name = graph.functions[0].signature.name
    captured = [variables[i] for i in graph.captured]
    config = NO_OPTIMIZER.SerializeToString()

    def run(*arguments: tf.Tensor) -> tf.Tensor:
        (result,) = tf.raw_ops.StatefulPartitionedCall(
            args=[*arguments, *captured], Tout=[tf.float32], f=name, config_proto=config
        )
        return result

    return run


class GraphCache:
    """Traced graphs: in memory for this process, and in a folder for others.

    Args:
        folder: for graphs of one version of the code; None: in memory only.
    """

    in_memory: ClassVar[dict[str, Graph]] = {}

    def __init__(self, folder: Path | str | None = None) -> None:
        self.folder = None if folder is None else Path(folder)

    def get(self, name: str, make: Callable[[], Graph]) -> Graph:
        """The graph of that name, made and stored if it is missing."""
        if name not in self.in_memory:
            self.in_memory[name] = (
                make() if self.folder is None else self._read_or_make(self.folder / name, make)
            )
        return self.in_memory[name]

    def _read_or_make(self, path: Path, make: Callable[[], Graph]) -> Graph:
        with contextlib.suppress(OSError):
            return Graph.from_bytes(path.read_bytes())
        graph = make()
        with contextlib.suppress(OSError):  # the workflow may be ending; nothing depends on it
            path.parent.mkdir(exist_ok=True)
            # other processes may write the same graph
            temporary = path.with_name(f".{path.name}.{os.getpid()}")
            temporary.write_bytes(graph.to_bytes())
            temporary.rename(path)
            self._remove_oldest(path.parent)
        return graph

    def _remove_oldest(self, folder: Path) -> None:
        """Keep the newest graphs; a process that loses one while reading it traces it again."""
        with os.scandir(folder) as entries:
            by_age = sorted((entry.stat().st_mtime_ns, entry.path) for entry in entries)
        for _, path in by_age[:-MAX_GRAPHS]:
            os.unlink(path)
