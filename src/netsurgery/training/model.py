"""A network to train: its arrays in TensorFlow variables, and a Keras optimizer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from itertools import islice
from types import MappingProxyType
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from netsurgery.keras_io.checkpoints import Checkpoint, order_in_keras
from netsurgery.networks.layers import Arrays, BatchNorm, KeptJoin, LinearLayer, Other
from netsurgery.networks.network import Network
from netsurgery.objectives.training_settings import FLOAT32, CompileSettings
from netsurgery.storage import provenance
from netsurgery.surgery import Slots
from netsurgery.training.forward import Forward, forward
from netsurgery.training.kept_states import KeptLayers
from netsurgery.training.keras_objects import LINEAR, compile_arguments
from netsurgery.training.layers import DRAWING
from netsurgery.training.optimizer_state import OptimizerState, is_elementwise
from netsurgery.training.packing import VariablePacking

# the first part of variable names; without an underscore, which separates the names of slots
WEIGHTS = "weights"
WITH_KERNELS = LinearLayer | Other | KeptJoin
NO_STATES: Mapping[int, Iterable[Any]] = MappingProxyType({})


def use_threads(count: int = 1) -> None:
    """Compute operations on so many threads, each on one, and deterministically.

    Call it before TensorFlow runs its first operation. With one thread each, the operations of a
    CPU are deterministic; a GPU needs slower ones for some. TensorFlow's graph optimizer is off
    because it takes longer than it saves: what it would fuse is fused already.

    Args:
        count: operations that are computed at the same time.
    """
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(count)
    if tf.config.list_physical_devices("GPU"):
        tf.config.experimental.enable_op_determinism()
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})


def threads() -> int:
    """Operations that are computed at the same time; see `use_threads`."""
    return max(1, tf.config.threading.get_inter_op_parallelism_threads())


def device() -> str:
    """The name of the device that trains: the first GPU, or else the CPU."""
    for gpu in tf.config.list_physical_devices("GPU"):
        return tf.config.experimental.get_device_details(gpu).get("device_name", gpu.name)
    return provenance.processor()


class TrainableNetwork:
    """A network with variables that can be trained.

    Args:
        network: its initial arrays.
        settings: how it learns.
        state: values of the optimizer's variables (see `OptimizerState`); by
            default those of a new one.
    """

    def __init__(
        self, network: Network, settings: CompileSettings, state: Arrays | None = None
    ) -> None:
        self.topology, self.settings = network.topology, settings
        self.layers = network.topology.layers
        # of each layer: how many of its arrays are trainable; the others are moving statistics
        self.trainable_counts = [layer.trainable_arrays for layer in self.layers]
        # Keras's, in which files hold the optimizer's state; moving statistics are in our own
        self.order = order_in_keras(self.topology)
        shapes = self.topology.array_shapes
        trainable = [s for i in self.order for s in shapes[i][: self.trainable_counts[i]]]
        shared = is_elementwise(settings.optimizer)
        self.packing = VariablePacking.of(trainable, shared=shared)
        self.kept = KeptLayers(network)
        counts = enumerate(self.trainable_counts)
        self.statistics_sizes = [
            array[0] for i, n in counts if i not in self.kept.calls for array in shapes[i][n:]
        ]
        packed = enumerate(self.packing.pack(self._trainable_arrays(network)))
        self.weights = [keras.Variable(value, name=f"{WEIGHTS}{i}") for i, value in packed]
        statistics = self._statistics_of(network)
        self.statistics = keras.Variable(statistics, trainable=False, name="statistics")
        self.draws = self.kept.draw or any(type(layer) in DRAWING for layer in self.layers)
        self.seed = keras.Variable(
            np.zeros(2, np.int32), trainable=False, dtype="int32", name="seed"
        )
        activation = self.layers[-1].activation_function
        self.logits = activation == LINEAR
        self.compile_arguments = compile_arguments(settings, activation)
        self.optimizer = self.compile_arguments["optimizer"]
        self.loss = self.compile_arguments["loss"]
        self.optimizer.build(self.weights)
        self.optimizer_state = OptimizerState(self.optimizer, self.packing, settings.optimizer)
        self.averages = self.optimizer_state.averages
        for average, weight in zip(self.averages, self.weights, strict=False):
            average.assign(weight)
        if state is not None:
            self.optimizer_state.values = state

    def _trainable_arrays(self, network: Network) -> list[np.ndarray]:
        """The trainable arrays of a network, in the order of the weights."""
        return [a for i in self.order for a in network.weights[i][: self.trainable_counts[i]]]

    def _statistics_of(self, network: Network) -> np.ndarray:
        """The moving statistics of a network, concatenated."""
        weights, counts = network.weights, enumerate(self.trainable_counts)
        statistics = (a for i, n in counts if i not in self.kept.calls for a in weights[i][n:])
        return np.concatenate([np.zeros(0, np.float32), *statistics])

    def _by_layer(
        self,
        trainable: Iterable[Any],
        statistics: Iterable[Any] = (),
        states: Mapping[int, Iterable[Any]] = NO_STATES,
    ) -> list[tuple[Any, ...]]:
        """Arrays grouped by layer.

        Args:
            trainable: those of all layers, in the order of the weights.
            statistics: the moving statistics; without them the groups are of trainable ones only.
            states: the same of kept layers, by position.
        """
        first, rest = iter(trainable), iter(statistics)
        learned = {i: tuple(islice(first, self.trainable_counts[i])) for i in self.order}
        found = []
        for i, shapes in enumerate(self.topology.array_shapes):
            count = len(shapes) - self.trainable_counts[i]
            others = states.get(i, ()) if i in self.kept.calls else islice(rest, count)
            found.append((*learned[i], *others))
        return found

    def __call__(self, x: tf.Tensor, *, training: bool) -> tf.Tensor:
        """The network's output for a batch; in training it updates what is not trained.

        Otherwise it is computed with the moving averages of the weights, where there are any.
        """
        given = self.forward(x, training=training)
        if training:
            self.update(given)
        return given.output

    def forward(
        self,
        x: tf.Tensor,
        *,
        training: bool,
        precision: str = FLOAT32,
        part: int | None = None,
    ) -> Forward:
        """What the network gives for a batch, or for a part of one; see `__call__`."""
        used = self.weights if training else self.averages or self.weights
        trainable = self.packing.tensors(variable.value for variable in used)
        sizes = self.statistics_sizes
        split = tf.split(self.statistics.value, sizes) if sizes else []
        arrays = self._by_layer(trainable, split, self.kept.tensors)
        seed = self._seed_of_step if training and self.draws else None
        if seed is not None and part is not None:
            seed = tf.random.experimental.stateless_fold_in(seed, part)
        return forward(
            self.topology,
            arrays,
            x,
            training=training,
            precision=precision,
            seed=seed,
            kept=self.kept.calls,
        )

    def update(self, given: Forward) -> None:
        """Update what is not trained by what a pass in training mode gave."""
        if given.statistics is not None:
            moving = self.statistics.value
            moving.assign_sub((moving - given.statistics) * self._update_rates)
        self.kept.update(given.states)

    def draw_seed(self, rng: np.random.Generator) -> None:
        """Draw what the layers that draw in training start from; nothing without any."""
        if self.draws:
            self.seed.assign(rng.integers(2**31 - 1, size=2, dtype=np.int32))

    @contextmanager
    def learning_rate(self, rate: tf.Tensor) -> Iterator[None]:
        """A context in which the optimizer's steps have a rate that is no variable.

        Writing and reading the optimizer's own would take a tenth of the time of a small network.
        """
        optimizer: Any = self.optimizer
        optimizer._get_current_learning_rate = lambda: rate
        try:
            yield
        finally:
            del optimizer._get_current_learning_rate

    @cached_property
    def _kernels(self) -> list[np.ndarray]:
        """For each variable where it holds kernels: 1 there, and 0 for biases and factors."""
        shapes = self.topology.array_shapes
        masks = [
            np.full(shape, isinstance(self.layers[i], WITH_KERNELS) and len(shape) > 1, np.float32)
            for i in self.order
            for shape in shapes[i][: self.trainable_counts[i]]
        ]
        return self.packing.pack(masks)

    def decay_weights(self, rate: tf.Tensor) -> None:
        """Shrink the kernels, as a step of gradient descent does whose loss includes their squares.

        Biases and the factors of normalizations, which often share a variable with small kernels,
        stay: they do not make a network fit noise.

        Args:
            rate: the learning rate, ().
        """
        if not self.settings.weight_decay:
            return
        part = rate * self.settings.weight_decay
        for weight, kernels in zip(self.weights, self._kernels, strict=True):
            if kernels.any():
                shrunk = part if kernels.all() else part * kernels
                weight.value.assign_sub(weight.value * shrunk)

    @property
    def _seed_of_step(self) -> tf.Tensor:
        """The seed of one step: the optimizer counts them, also over interruptions."""
        steps = tf.cast(self.optimizer.iterations.value, tf.int32)
        return self.seed.value + tf.stack([steps, 0])

    @property
    def _update_rates(self) -> np.ndarray:
        """One minus the momentum of each moving statistic.

        Averaged weights are used with the statistics of the same batches: others can cost more
        accuracy than averaging gains.
        """
        layers = zip(self.layers, self.topology.input_shapes, strict=True)
        common = self.settings.ema_momentum or self.settings.statistics_momentum
        rates = [
            np.full(2 * shape[-1], 1 - (layer.momentum if common is None else common), np.float32)
            for layer, shape in layers
            if isinstance(layer, BatchNorm)
        ]
        return np.concatenate(rates)

    @property
    def variables(self) -> list[keras.Variable]:
        """The weights, all that is not trained, the seed and the variables of the optimizer."""
        untrained = [self.statistics, *self.kept.variables, *([self.seed] if self.draws else [])]
        return [*self.weights, *untrained, *self.optimizer.variables]

    @property
    def outputs(self) -> int:
        """Outputs per sample."""
        return self.topology.output_shape[-1]

    @property
    def checkpoint(self) -> Checkpoint:
        """The network and the optimizer's state, as a file stores them."""
        return Checkpoint(self.network, self.optimizer_state.values)

    @property
    def averaged_checkpoint(self) -> Checkpoint:
        """The same with the moving averages of the weights in place of them, if there are any."""
        averaged = self._network_of(self.averages or self.weights)
        return Checkpoint(averaged, self.optimizer_state.values)

    @property
    def network(self) -> Network:
        """The network with its present arrays."""
        return self._network_of(self.weights)

    def _network_of(self, variables: Iterable[keras.Variable]) -> Network:
        statistics = np.split(self.statistics.numpy(), np.cumsum(self.statistics_sizes)[:-1])
        trainable = self.packing.unpack(variable.numpy() for variable in variables)
        arrays = self._by_layer(trainable, statistics, self.kept.arrays)
        return Network(self.topology, tuple(arrays))

    def load(self, network: Network, state: Arrays) -> None:
        """Replace the arrays by those of a network of the same topology, and the optimizer's state.

        Args:
            network: of the same topology.
            state: values of the optimizer's variables.
        """
        packed = self.packing.pack(self._trainable_arrays(network))
        for variable, value in zip(self.weights, packed, strict=True):
            variable.assign(value)
        self.statistics.assign(self._statistics_of(network))
        self.kept.load(network)
        self.optimizer_state.values = state

    def by_layer(self, variables: Iterable[np.ndarray]) -> tuple[Arrays, ...]:
        """Trainable arrays by layer, from values of the shapes of `weights`, such as gradients."""
        return tuple(self._by_layer(self.packing.unpack(variables)))

    @property
    def slots(self) -> Slots:
        """The optimizer's slot variables that surgery can transfer."""
        slots = self.optimizer_state.slots
        return {name: tuple(self._by_layer(arrays)) for name, arrays in slots.items()}

    def restore_slots(self, slots: Slots, steps: int) -> None:
        """Set the optimizer's slot variables, and the iterations they result from."""
        flat = {name: [a for i in self.order for a in layers[i]] for name, layers in slots.items()}
        self.optimizer_state.restore_slots(flat, steps)
