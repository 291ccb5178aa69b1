"""A network that learns: its arrays in variables of TensorFlow, and a Keras optimizer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from netsurgery import provenance
from netsurgery.checkpoints import Checkpoint
from netsurgery.layers import BatchNorm, trainable_arrays
from netsurgery.measures import CROSSENTROPY, loss_of
from netsurgery.network import Arrays, Network
from netsurgery.surgery import Slots
from netsurgery.training.forward import FULL, forward
from netsurgery.training.packing import Packing

# Keras's that treat every number alike, whatever array it is in
OPTIMIZERS = {
    "sgd": keras.optimizers.SGD,
    "adadelta": keras.optimizers.Adadelta,
    "adagrad": keras.optimizers.Adagrad,
    "adam": keras.optimizers.Adam,
    "adamax": keras.optimizers.Adamax,
    "adamw": keras.optimizers.AdamW,
    "ftrl": keras.optimizers.Ftrl,
    "lion": keras.optimizers.Lion,
    "nadam": keras.optimizers.Nadam,
    "rmsprop": keras.optimizers.RMSprop,
}
WEIGHTS = "weights"  # and a number: names without an underscore, for slots are named behind one
BY_SLOT = ("sgd", "rmsprop")  # Keras keeps their slots one after the other, others' by variable
AHEAD = 2  # counters that every optimizer has ahead of its slots: steps, learning rate


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


def new_optimizer(settings: Mapping[str, Any]) -> keras.optimizers.Optimizer:
    """The optimizer of a search, fresh."""
    arguments = {"learning_rate": settings["learning_rate"], "name": "optimizer"}
    if settings["momentum"]:
        arguments["momentum"] = settings["momentum"]
    return OPTIMIZERS[settings["optimizer"]](**arguments)


def compile_arguments(settings: Mapping[str, Any], *, logits: bool) -> dict[str, Any]:
    """A fresh optimizer, and the loss and metrics of the search, as Keras's `compile` takes them.

    Args:
        settings: of the search.
        logits: whether the network's output is linear.
    """
    return {
        "optimizer": new_optimizer(settings),
        "loss": loss_of(settings["loss"], logits=logits),
        "metrics": ["accuracy"] if settings["loss"] == CROSSENTROPY else ["mae"],
    }


def compile_model(model: keras.Model, settings: Mapping[str, Any]) -> None:
    """Give a Keras model a fresh optimizer and the loss and metrics of the search."""
    logits = getattr(model.layers[-1], "activation", None) is keras.activations.linear
    model.compile(**compile_arguments(settings, logits=logits), jit_compile=False)
    model.optimizer.build(model.trainable_variables)


class Learner:
    """A network whose arrays can be trained.

    Args:
        network: to start from.
        settings: optimizer, learning_rate, momentum and loss; precision, by default float32.
        state: of the optimizer (see `state`); by default a fresh one's.
    """

    def __init__(
        self, network: Network, settings: Mapping[str, Any], state: Arrays | None = None
    ) -> None:
        self.topology, self.settings = network.topology, dict(settings)
        self.layers = network.topology.layers
        self.trained = [trainable_arrays(layer) for layer in self.layers]
        shapes = list(zip(self.topology.array_shapes, self.trained, strict=True))
        self.packing = Packing.of([shape for own, n in shapes for shape in own[:n]])
        self.widths = [shape[0] for own, n in shapes for shape in own[n:]]
        packed = enumerate(self.packing.pack(self._trained(network)))
        self.weights = [keras.Variable(value, name=f"{WEIGHTS}{i}") for i, value in packed]
        statistics = self._statistics(network)
        self.statistics = keras.Variable(statistics, trainable=False, name="statistics")
        logits = getattr(self.layers[-1], "activation", None) == "linear"
        self.compiled = compile_arguments(settings, logits=logits)
        self.optimizer, self.loss = self.compiled["optimizer"], self.compiled["loss"]
        self.optimizer.build(self.weights)
        self.by_variable = settings["optimizer"] not in BY_SLOT
        if state is not None:
            self._set_state(state)

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
        arrays, precision = self._layered(trained, others), self.settings.get("precision", FULL)
        predicted, seen = forward(self.layers, arrays, x, training=training, precision=precision)
        if seen:
            moved = self.statistics.value - tf.concat(seen, 0)
            self.statistics.value.assign_sub(moved * self._rates)
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
        return Checkpoint(self.network, self.state)

    @property
    def network(self) -> Network:
        """The network as it is now."""
        others = np.split(self.statistics.numpy(), np.cumsum(self.widths)[:-1])
        trained = self.packing.unpack(variable.numpy() for variable in self.weights)
        arrays = self._layered(trained, others)
        return Network(self.topology, tuple(arrays))

    def load(self, network: Network, state: Arrays) -> None:
        """Go on from another network of the same topology, and from its optimizer's state."""
        self._assign(self.weights, self._trained(network))
        self.statistics.assign(self._statistics(network))
        self._set_state(state)

    @property
    def _counters(self) -> list[keras.Variable]:
        return [variable for variable in self.optimizer.variables if not len(variable.shape)]

    @property
    def _slots(self) -> dict[str, list[keras.Variable]]:
        """The variables of each slot, in the order of the weights."""
        found: dict[str, list[keras.Variable]] = {}
        for variable in self.optimizer.variables:
            if len(variable.shape):
                _, _, name = variable.name.partition("_")
                found.setdefault(name, []).append(variable)
        return found

    def _unpacked(self, slot: Iterable[keras.Variable]) -> list[np.ndarray]:
        """A slot's arrays, in order."""
        return self.packing.unpack(variable.numpy() for variable in slot)

    @property
    def state(self) -> Arrays:
        """What the optimizer remembers: the variables of a Keras model's, in their order."""
        slots = [self._unpacked(slot) for slot in self._slots.values()]
        rows = zip(*slots, strict=True) if self.by_variable else slots
        counters = [counter.numpy() for counter in self._counters]
        arrays = (array for row in rows for array in row)
        return (*counters[:AHEAD], *arrays, *counters[AHEAD:])

    def _set_state(self, state: Arrays) -> None:
        counters, slots = self._counters, list(self._slots.values())
        end = len(state) - len(counters) + AHEAD
        for counter, value in zip(counters, (*state[:AHEAD], *state[end:]), strict=True):
            counter.assign(value)
        arrays, count = state[AHEAD:end], len(self.packing.shapes)
        for i, slot in enumerate(slots):
            one, block = slice(i, None, len(slots)), slice(i * count, (i + 1) * count)
            self._assign(slot, arrays[one if self.by_variable else block])

    def _assign(self, variables: Iterable[keras.Variable], arrays: Iterable[np.ndarray]) -> None:
        for variable, value in zip(variables, self.packing.pack(arrays), strict=True):
            variable.assign(value)

    @property
    def slots(self) -> Slots:
        """The part of the optimizer's state that surgery can carry."""
        return {
            name: tuple(self._layered(self._unpacked(slot))) for name, slot in self._slots.items()
        }

    @property
    def steps(self) -> int:
        """Batches that the optimizer has seen."""
        return int(self.optimizer.iterations)

    def take_over(self, slots: Slots, steps: int) -> None:
        """Give the optimizer slots, and the number of steps that they stand for."""
        for name, slot in self._slots.items():
            self._assign(slot, (array for layer in slots[name] for array in layer))
        if slots:
            self.optimizer.iterations.assign(steps)
