"""Functions of TensorFlow as graphs that outlive the process that traced them.

Tracing the loop over an epoch takes longer than small networks train, and a candidate is trained by
several jobs. Its graph depends on its topology and on settings, not on any weights: the first job
keeps it, the others read it.
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
from tensorflow.core.framework.function_pb2 import FunctionDef, FunctionDefLibrary
from tensorflow.core.framework.node_def_pb2 import NodeDef
from tensorflow.python.eager import context

MOST = 500  # graphs that are kept, of a few ten kB each
NO_OPTIMISER = tf.compat.v1.ConfigProto()  # see `use_one_thread`
NO_OPTIMISER.graph_options.rewrite_options.disable_meta_optimizer = True


@dataclass(frozen=True)
class Graph:
    """A traced function and all that it calls.

    Args:
        library: their definitions, under names that no other function has; its own comes first.
        captured: which variables it uses, in the order in which it takes them.
    """

    library: FunctionDefLibrary
    captured: tuple[int, ...]

    def to_bytes(self) -> bytes:
        """A line of JSON, and the library as TensorFlow writes it."""
        return json.dumps(self.captured).encode() + b"\n" + self.library.SerializeToString()

    @classmethod
    def from_bytes(cls, content: bytes) -> Graph:
        """What `to_bytes` made."""
        head, _, library = content.partition(b"\n")
        return cls(FunctionDefLibrary.FromString(library), tuple(json.loads(head)))


def _calls(node: NodeDef) -> Iterator[Any]:
    """Where a node names functions."""
    for value in node.attr.values():
        if value.HasField("func"):
            yield value.func
        yield from value.list.func


def trace(
    function: Callable[..., tf.Tensor],
    signature: Sequence[tf.TensorSpec],
    variables: Sequence[tf.Tensor],
    name: str,
) -> Graph:
    """The graph of a function.

    Args:
        function: of tensors; it may use variables, but no other tensors from outside.
        signature: of what it takes.
        variables: the handles of those it may use.
        name: that no other function of any process has.

    Raises:
        KeyError: it uses something else.
    """
    traced = tf.function(
        function, autograph=False, input_signature=tuple(signature)
    ).get_concrete_function()
    places = {id(handle): i for i, handle in enumerate(variables)}
    captured = tuple(places[id(handle)] for handle in traced.captured_inputs)
    called = traced.graph.as_graph_def().library.function
    definitions: list[FunctionDef] = [traced.function_def, *called]
    names = {each.signature.name: f"{name}_{i}" for i, each in enumerate(definitions)}
    library = FunctionDefLibrary(function=definitions)
    for each in library.function:
        each.signature.name = names[each.signature.name]
        for node in each.node_def:
            for call in _calls(node):
                call.name = names[call.name]
    return Graph(library, captured)


def ready(graph: Graph, variables: Sequence[tf.Tensor]) -> Callable[..., tf.Tensor]:
    """A graph as a function of tensors that gives one of float32.

    Args:
        graph: to be run.
        variables: the handles that stand where those did with which it was traced.
    """
    known = context.context()
    for definition in graph.library.function:
        if not known.has_function(definition.signature.name):
            known.add_function_def(definition)
    name = graph.library.function[0].signature.name
    captured = [variables[i] for i in graph.captured]
    config = NO_OPTIMISER.SerializeToString()

    def run(*given: tf.Tensor) -> tf.Tensor:
        (found,) = tf.raw_ops.StatefulPartitionedCall(
            args=[*given, *captured], Tout=[tf.float32], f=name, config_proto=config
        )
        return found

    return run


class GraphCache:
    """Where graphs are kept: for this process, and in a folder for others.

    Args:
        folder: only for those of one version of the code; by default there is none.
    """

    here: ClassVar[dict[str, Graph]] = {}

    def __init__(self, folder: Path | str | None = None) -> None:
        self.folder = None if folder is None else Path(folder)

    def get(self, name: str, make: Callable[[], Graph]) -> Graph:
        """The graph of that name, made if it is not there."""
        if name not in self.here:
            self.here[name] = make() if self.folder is None else self._get(self.folder / name, make)
        return self.here[name]

    def _get(self, path: Path, make: Callable[[], Graph]) -> Graph:
        with contextlib.suppress(OSError):
            return Graph.from_bytes(path.read_bytes())
        graph = make()
        with contextlib.suppress(OSError):  # the workflow may be ending; nothing depends on it
            path.parent.mkdir(exist_ok=True)
            temporary = path.with_name(f".{path.name}.{os.getpid()}")  # others may write the same
            temporary.write_bytes(graph.to_bytes())
            temporary.rename(path)
            self._trim(path.parent)
        return graph

    def _trim(self, folder: Path) -> None:
        """Take away the oldest graphs; whoever reads one at that moment has it or makes it."""
        with os.scandir(folder) as entries:
            ages = sorted((entry.stat().st_mtime_ns, entry.path) for entry in entries)
        for _, path in ages[:-MOST]:
            os.unlink(path)
