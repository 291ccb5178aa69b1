"""A network that learns: its arrays in variables of TensorFlow, and a Keras optimizer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from netsurgery.keras_io.checkpoints import Checkpoint
from netsurgery.networks.layers import BatchNorm, trainable_arrays
from netsurgery.networks.network import Arrays, Network
from netsurgery.storage import provenance
from netsurgery.surgery import Slots
from netsurgery.training.forward import FLOAT32, forward
from netsurgery.training.keras_objects import LINEAR, compile_arguments
from netsurgery.training.optimizer_state import OptimizerState, is_by_number
from netsurgery.training.packing import VariablePacking

WEIGHTS = "weights"  # and a number: names without an underscore, for slots are named behind one


def use_one_thread() -> None:
    """One thread per training job; the workflow runs as many jobs as there are cores.

    Must be called before TensorFlow runs its first operation. With one thread a processor's
    operations are deterministic; on other devices some must be replaced by slower ones.
    TensorFlow's graph optimiser takes longer than it saves: what it would fuse is fused already.
    """
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    if tf.config.list_physical_devices("GPU"):
        tf.config.experimental.enable_op_determinism()
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})


def device() -> str:
    """What networks are trained on: the first GPU by its name, else the processor."""
    for gpu in tf.config.list_physical_devices("GPU"):
        return tf.config.experimental.get_device_details(gpu).get("device_name", gpu.name)
    return provenance.processor()


class TrainableNetwork:
    """A network whose arrays can be trained.

    Args:
        network: to start from.
        settings: optimizer, learning_rate, momentum and loss; dtype_policy, by default float32.
        state: of the optimizer (see `OptimizerState`); by default that of a fresh one.
    """

    def __init__(
        self, network: Network, settings: Mapping[str, Any], state: Arrays | None = None
    ) -> None:
        self.topology, self.settings = network.topology, dict(settings)
        self.layers = network.topology.layers
        self.trained = [trainable_arrays(layer) for layer in self.layers]
        shapes = list(zip(self.topology.array_shapes, self.trained, strict=True))
        arrays, optimizer = [shape for own, n in shapes for shape in own[:n]], settings["optimizer"]
        self.packing = VariablePacking.of(arrays, shared=is_by_number(optimizer))
        self.widths = [shape[0] for own, n in shapes for shape in own[n:]]
        packed = enumerate(self.packing.pack(self._trained(network)))
        self.weights = [keras.Variable(value, name=f"{WEIGHTS}{i}") for i, value in packed]
        statistics = self._statistics(network)
        self.statistics = keras.Variable(statistics, trainable=False, name="statistics")
        self.logits = getattr(self.layers[-1], "activation", None) == LINEAR
        self.compiled = compile_arguments(settings, logits=self.logits)
        self.optimizer, self.loss = self.compiled["optimizer"], self.compiled["loss"]
        self.optimizer.build(self.weights)
        self.memory = OptimizerState(self.optimizer, self.packing, optimizer)
        if state is not None:
            self.memory.state = state

    def _trained(self, network: Network) -> list[np.ndarray]:
        """The arrays that are trained, in order."""
        own = zip(network.weights, self.trained, strict=True)
        return [array for arrays, n in own for array in arrays[:n]]

    def _statistics(self, network: Network) -> np.ndarray:
        """Those that are not, end to end."""
        own = zip(network.weights, self.trained, strict=True)
        return np.concatenate([np.zeros(0, np.float32), *(a for all_, n in own for a in all_[n:])])

    def _layered(
        self, trained: Iterable[Any], others: Iterable[Any] | None = None
    ) -> list[tuple[Any, ...]]:
        """Arrays by layer, from all of them in order; without `others` only those trained."""
        mine, rest = iter(trained), iter(others or ())
        return [
            tuple(
                next(mine if i < n else rest) for i in range(n if others is None else len(shapes))
            )
            for shapes, n in zip(self.topology.array_shapes, self.trained, strict=True)
        ]

    def __call__(self, x: tf.Tensor, *, training: bool) -> tf.Tensor:
        """The network's output for a batch; in training its moving statistics move."""
        trained = self.packing.tensors(variable.value for variable in self.weights)
        others = tf.split(self.statistics.value, self.widths) if self.widths else []
        arrays, precision = (
            self._layered(trained, others),
            self.settings.get("dtype_policy", FLOAT32),
        )
        predicted, seen = forward(self.layers, arrays, x, training=training, precision=precision)
        if seen is not None:
            self.statistics.value.assign_sub((self.statistics.value - seen) * self._rates)
        return predicted

    @property
    def _rates(self) -> np.ndarray:
        """How far each moving statistic goes to that of a batch."""
        layers = zip(self.layers, self.topology.shapes, strict=False)
        rates = [
            np.full(2 * shape[-1], 1 - layer.momentum, np.float32)
            for layer, shape in layers
            if isinstance(layer, BatchNorm)
        ]
        return np.concatenate(rates)

    @property
    def variables(self) -> list[keras.Variable]:
        """All of them: the weights, the moving statistics, the optimizer's."""
        return [*self.weights, self.statistics, *self.optimizer.variables]

    @property
    def outputs(self) -> int:
        """Numbers that the network gives for a sample."""
        return self.topology.shapes[-1][-1]

    @property
    def checkpoint(self) -> Checkpoint:
        """What a file keeps of it."""
        return Checkpoint(self.network, self.memory.state)

    @property
    def network(self) -> Network:
        """The network as it is now."""
        others = np.split(self.statistics.numpy(), np.cumsum(self.widths)[:-1])
        trained = self.packing.unpack(variable.numpy() for variable in self.weights)
        arrays = self._layered(trained, others)
        return Network(self.topology, tuple(arrays))

    def load(self, network: Network, state: Arrays) -> None:
        """Go on from another network of the same topology, and from its optimizer's state."""
        for variable, value in zip(
            self.weights, self.packing.pack(self._trained(network)), strict=True
        ):
            variable.assign(value)
        self.statistics.assign(self._statistics(network))
        self.memory.state = state

    @property
    def slots(self) -> Slots:
        """The part of the optimizer's state that surgery can carry."""
        slots = self.memory.slots
        return {name: tuple(self._layered(arrays)) for name, arrays in slots.items()}

    def take_over(self, slots: Slots, steps: int) -> None:
        """Give the optimizer slots, and the number of steps that they stand for."""
        flat = {name: [a for layer in layers for a in layer] for name, layers in slots.items()}
        self.memory.take_over(flat, steps)
