"""Compiled functions over samples: named by all they depend on, from the cache where it has them.

Their graphs depend on a topology, on settings and on the samples' shapes, not on weights.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import tensorflow as tf

from netsurgery.objectives.training_settings import BFLOAT16, FLOAT32
from netsurgery.training import graphs, onednn
from netsurgery.training.graphs import Graph, GraphCache, TensorFunction
from netsurgery.training.metrics import MetricSums
from netsurgery.training.model import TrainableNetwork
from netsurgery.training.samples import Batches
from netsurgery.training.tensorflow_internals import can_load_functions

SumsFunction = Callable[..., np.ndarray]  # arrays, of the samples of an epoch or so -> (width,)
POSITIONS = tf.TensorSpec([None], tf.int32)  # of samples


def _to_json(value: Any) -> object:
    """Arrays and scalings as JSON values."""
    if isinstance(value, np.ndarray | np.generic):
        return [str(value.dtype), value.tolist()]
    return asdict(value)


@dataclass(frozen=True)
class Compiler:
    """Compiles functions of a network over samples.

    Attributes:
        network: whose variables they use.
        metrics: whose variables they use, too.
        batches: of the samples.
        cache: of graphs.
        precision: that they compute in.
    """

    network: TrainableNetwork
    metrics: MetricSums
    batches: Batches
    cache: GraphCache
    precision: str = FLOAT32

    def compile(
        self,
        kind: str,
        function: TensorFunction,
        arguments: Sequence[tf.TensorSpec],
        *depends_on: object,
        warm_up: int = 0,
    ) -> SumsFunction:
        """A function of arrays whose kernels exist already.

        Args:
            kind: what the function is, such as an epoch.
            function: of the arrays and the samples' tensors.
            arguments: what the arrays are, with an entry per sample or batch.
            depends_on: what else decides on the graph.
            warm_up: the length of the arrays in a first call, which creates the kernels; such a
                call must change nothing.
        """
        compiled = self._load_or_trace(function, arguments, self._graph_name(kind, *depends_on))

        def run(*arrays: np.ndarray) -> np.ndarray:
            sums = compiled(*map(tf.constant, arrays), *self.batches.tensors)
            return sums.numpy().astype(np.float64)

        for_warm_up = ([warm_up, *each.shape[1:]] for each in arguments)
        types = (each.dtype.as_numpy_dtype for each in arguments)
        run(*map(np.zeros, for_warm_up, types))
        return run

    @cached_property
    def _with_onednn(self) -> bool:
        """Whether to use the kernels of oneDNN."""
        if self.precision == BFLOAT16:  # TensorFlow's own for it are several times slower
            return onednn.has_bfloat16()
        return onednn.is_faster(math.prod(self.batches.samples.x.shape[1:]))

    def _graph_name(self, kind: str, *depends_on: object) -> str:
        """A name for a graph: a hash of all it depends on, which excludes the weights."""
        samples = self.batches.samples
        key = [
            kind,
            self.network.topology.to_json(),
            replace(self.network.settings, learning_rate=0.0),  # a variable
            [str(spec) for spec in self.batches.signature],
            [samples.variants, samples.change, samples.scaling, samples.target],
            len(tf.config.list_physical_devices("GPU")) > 0,
            self._with_onednn,
            self.precision,
            self.metrics.settings,
            self.metrics.weights,
            *depends_on,
        ]
        text = json.dumps(key, sort_keys=True, default=_to_json)
        return f"{kind}_{hashlib.sha256(text.encode()).hexdigest()}"

    def _load_or_trace(
        self, function: TensorFunction, arguments: Sequence[tf.TensorSpec], name: str
    ) -> TensorFunction:
        """A function of arguments and the samples' tensors, from the cache if it is there."""
        signature = [*arguments, *self.batches.signature]
        if not can_load_functions():
            return graphs.as_function(function, signature)
        variables = [*self.network.variables, *self.metrics.variables]
        handles = [variable.value.handle for variable in variables]

        def trace() -> Graph:
            graph = graphs.trace(function, signature, handles, name)
            if self._with_onednn:
                onednn.use_onednn_kernels(graph.functions)
            return graph

        try:
            return graphs.load(self.cache.get(name, trace), handles)
        except graphs.OutsideTensorError:  # a Keras layer has one of its own, such as a factor
            return graphs.as_function(function, signature)
