"""A network that learns: its arrays as variables of TensorFlow, and a Keras optimizer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf

from netsurgery import optimizers
from netsurgery.checkpoints import Checkpoint
from netsurgery.layers import trainable_arrays
from netsurgery.measures import CROSSENTROPY, loss_of
from netsurgery.network import Arrays, Network
from netsurgery.surgery import Slots
from netsurgery.training.forward import forward

OPTIMIZERS = {
    "sgd": keras.optimizers.SGD,
    "adam": keras.optimizers.Adam,
    "adamw": keras.optimizers.AdamW,
    "rmsprop": keras.optimizers.RMSprop,
}


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
        settings: optimizer, learning_rate, momentum and loss.
        state: of the optimizer (see `state`); by default a fresh one's.
    """

    def __init__(
        self, network: Network, settings: Mapping[str, Any], state: Arrays | None = None
    ) -> None:
        self.topology = network.topology
        self.layers = network.topology.layers
        self.kept = [
            [
                keras.Variable(array, trainable=j < trainable_arrays(layer), name=f"layer{i}_{j}")
                for j, array in enumerate(arrays)
            ]
            for i, (layer, arrays) in enumerate(zip(self.layers, network.weights, strict=True))
        ]
        self.trained = [[v for v in own if v.trainable] for own in self.kept]
        self.trainable = [variable for own in self.trained for variable in own]
        logits = getattr(self.layers[-1], "activation", None) == "linear"
        self.compiled = compile_arguments(settings, logits=logits)
        self.optimizer, self.loss = self.compiled["optimizer"], self.compiled["loss"]
        self.optimizer.build(self.trainable)
        if state is not None:
            self._set_state(state)

    def __call__(self, x: tf.Tensor, *, training: bool) -> tf.Tensor:
        """The network's output for a batch."""
        variables = [[variable.value for variable in own] for own in self.kept]
        return forward(self.layers, variables, x, training=training)

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
        arrays = tuple(tuple(variable.numpy() for variable in own) for own in self.kept)
        return Network(self.topology, arrays)

    @property
    def state(self) -> Arrays:
        """What the optimizer remembers: its variables, in Keras's order."""
        return tuple(variable.numpy() for variable in self.optimizer.variables)

    def _set_state(self, state: Arrays) -> None:
        for variable, array in zip(self.optimizer.variables, state, strict=True):
            variable.assign(array)

    def load(self, network: Network, state: Arrays) -> None:
        """Go on from another network of the same topology, and from its optimizer's state."""
        for own, arrays in zip(self.kept, network.weights, strict=True):
            for variable, array in zip(own, arrays, strict=True):
                variable.assign(array)
        self._set_state(state)

    @property
    def slots(self) -> Slots:
        """The part of the optimizer's state that surgery can carry."""
        return optimizers.slots(self.optimizer, self.trained)

    @property
    def steps(self) -> int:
        """Batches that the optimizer has seen."""
        return int(self.optimizer.iterations)

    def take_over(self, slots: Slots, steps: int) -> None:
        """Give the optimizer slots, and the number of steps that they stand for."""
        optimizers.assign_slots(self.optimizer, self.trained, slots, steps)
