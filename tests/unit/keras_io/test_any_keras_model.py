"""Surgery on whatever Keras offers: sound children, or one line of refusal.

A sound child loads, predicts what was announced, keeps the optimizer's state of the layers that
surgery leaves alone, satisfies its constraints, and trains a step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from netsurgery.keras_io import archive, model_surgery, optimizer_slots, user_files
from netsurgery.storage.files import UnusableFileError
from netsurgery.surgery import OPERATIONS, IllegalMutation, Mutation, operations
from tests.support.keras_models import random_model

ROUNDING = 3e-6  # Keras computes in float32
HALF_ROUNDING = 0.1
IMAGE = (8, 7, 4)
Make = Callable[[], keras.Layer]


def samples(model: keras.Sequential, count: int = 4) -> np.ndarray:
    shape = (count, *(9 if size is None else size for size in model.input_shape[1:]))
    return np.random.default_rng(2).uniform(0, 1, shape).astype("f4")


def predicted(model: keras.Sequential, x: np.ndarray) -> np.ndarray:
    return np.asarray(model(x, training=False)).astype("f8")


def train_step(model: keras.Sequential) -> None:
    x = samples(model)
    model.train_on_batch(x, np.ones((len(x), *model.output_shape[1:]), "f4"))


def compiled(model: keras.Sequential, optimizer: Any = "adam") -> keras.Sequential:
    """The model, compiled and trained for two steps; eagerly, as tracing takes seconds."""
    model.compile(optimizer, "mse", run_eagerly=True)
    for _ in range(2):
        train_step(model)
    return model


def check_children(model: keras.Sequential, path: Path | None = None) -> set[str]:
    """Apply one mutation of each operation that the model allows; return their names."""
    x, offers = samples(model), model_surgery.list_mutations(model, OPERATIONS)
    before, done = predicted(model, x), dict[str, model_surgery.ModelMutationResult]()
    for offer in offers:
        name = offer.mutation.operation.name
        if name in done:
            continue
        done[name] = result = model_surgery.apply(model, offer.mutation)
        child, after = result.model, predicted(result.model, x)
        assert sum(int(np.prod(v.shape)) for v in child.trainable_weights) == offer.parameters
        assert ("; exact" in result.summary) == offer.exact, result.summary
        assert "\n" not in result.summary
        assert after.shape == before.shape
        if offer.exact or "rounding" in result.summary:
            limit = ROUNDING if offer.exact else HALF_ROUNDING
            assert np.abs(after - before).max() <= limit * max(1, np.abs(before).max()), name
        check_constraints(child)
    for name in (next(iter(done)), list(done)[-1]):
        train_step(done[name].model) if model.compiled else None
        if path is not None:
            check_file(done[name].model, x, path)
    return set(done)


def check_constraints(model: keras.Sequential) -> None:
    for variable in model.trainable_variables:
        if variable.constraint is not None:
            np.testing.assert_allclose(
                variable.constraint(variable.value), np.asarray(variable), atol=1e-5
            )


def check_file(model: keras.Sequential, x: np.ndarray, path: Path) -> None:
    archive.save(model, path)
    read = user_files.read_model(path)
    np.testing.assert_allclose(predicted(read, x), predicted(model, x), rtol=1e-5, atol=1e-6)
    if model.compiled:
        for written, found in zip(model.optimizer.variables, read.optimizer.variables, strict=True):
            np.testing.assert_array_equal(np.asarray(found), np.asarray(written))


# --- layers ---------------------------------------------------------------------------------------


def adapted(layer: keras.Layer, shape: tuple[int, ...]) -> keras.Layer:
    layer.adapt(np.random.default_rng(1).normal(3, 2, (20, *shape)).astype("f4"))
    return layer


def nested_functional() -> keras.Model:
    entering = keras.Input(IMAGE)
    left, right = layers.Conv2D(4, 1)(entering), layers.Conv2D(4, 3, padding="same")(entering)
    return keras.Model(entering, layers.Add()([left, right]))


# layers that treat each channel on its own: the channels before them may change
OPEN: dict[str, Make] = {
    "zero padding": lambda: layers.ZeroPadding2D(1),
    "cropping": lambda: layers.Cropping2D(1),
    "pooling": lambda: layers.AveragePooling2D(3, strides=1, padding="same"),
    "spatial dropout": lambda: layers.SpatialDropout2D(0.3),
    "dropout by channel": lambda: layers.Dropout(0.3, noise_shape=(None, 1, 1, None)),
    "dropout by pixel": lambda: layers.Dropout(0.3, noise_shape=(None, None, None, 1)),
    "Gaussian noise": lambda: layers.GaussianNoise(0.1),
    "Gaussian dropout": lambda: layers.GaussianDropout(0.1),
    "alpha dropout": lambda: layers.AlphaDropout(0.1),
    "activity regularization": lambda: layers.ActivityRegularization(0.1),
    "identity": lambda: layers.Identity(),
    "batch normalization": lambda: layers.BatchNormalization(gamma_constraint="non_neg"),
    "leaky relu": lambda: layers.LeakyReLU(0.3),
    "relu6": lambda: layers.ReLU(6.0),
}
# layers that surgery keeps as they are, and what its message says of them
CLOSED: dict[str, tuple[Make, str]] = {
    "dropout of one width": (
        lambda: layers.Dropout(0.3, noise_shape=(None, 1, 1, 4)),
        "the Dropout at 1 .* because of its noise_shape",
    ),
    "depthwise": (lambda: layers.DepthwiseConv2D(3), "the DepthwiseConv2D at 1"),
    "separable": (lambda: layers.SeparableConv2D(4, 3), "the SeparableConv2D at 1"),
    "transposed": (lambda: layers.Conv2DTranspose(4, 2), "the Conv2DTranspose at 1"),
    "groups": (lambda: layers.Conv2D(4, 3, groups=2), "the Conv2D at 1 .* its 2 groups"),
    "dilation": (lambda: layers.Conv2D(4, 3, dilation_rate=2), "its dilation of 2x2"),
    "oblong kernel": (lambda: layers.Conv2D(4, (3, 2)), "its kernel of 3x2, which is not square"),
    "unequal strides": (
        lambda: layers.AveragePooling2D((2, 1)),
        "the AveragePooling2D at 1 .* its windows of 2x1 with strides of 2x1",
    ),
    "celu": (lambda: layers.Activation("celu"), "the Activation at 1 .* its activation celu"),
    "elu": (lambda: layers.ELU(0.5), "the ELU at 1 .* its alpha 0.5"),
    "clipped relu": (lambda: layers.ReLU(3.0), "its max_value, negative_slope or threshold"),
    "softmax of an axis": (lambda: layers.Softmax(axis=1), "the Softmax at 1 .* its axis 1"),
    "prelu": (lambda: layers.PReLU(shared_axes=[1, 2]), "the PReLU at 1"),
    "upsampling": (lambda: layers.UpSampling2D(), "the UpSampling2D at 1"),
    "normalization of rows": (
        lambda: layers.BatchNormalization(axis=1),
        "the BatchNormalization at 1 .* its axis 1, which is not the last one",
    ),
    "layer normalization": (lambda: layers.LayerNormalization(), "the LayerNormalization at 1"),
    "group normalization": (lambda: layers.GroupNormalization(2), "the GroupNormalization at 1"),
    "unit normalization": (lambda: layers.UnitNormalization(), "the UnitNormalization at 1"),
    "rms normalization": (lambda: layers.RMSNormalization(), "the RMSNormalization at 1"),
    "spectral normalization": (
        lambda: layers.SpectralNormalization(layers.Conv2D(4, 3)),
        "the SpectralNormalization at 1",
    ),
    "array to rescale by": (
        lambda: layers.Rescaling([1.0, 2.0, 3.0, 4.0]),
        "the Rescaling at 1 .* its scale or offset, which is an array",
    ),
    "nested sequential": (
        lambda: keras.Sequential([layers.Conv2D(4, 3), layers.ReLU()]),
        "the Sequential at 1",
    ),
    "nested functional": (nested_functional, "the Functional at 1"),
    "permutation": (lambda: layers.Permute((2, 1, 3)), "the Permute at 1"),
    "random flip": (lambda: layers.RandomFlip(), "the RandomFlip at 1"),
    "resizing": (lambda: layers.Resizing(6, 6), "the Resizing at 1"),
}


def with_layer(layer: keras.Layer) -> keras.Sequential:
    """A network with a layer between two convolutions."""
    model = keras.Sequential(
        [
            keras.Input(IMAGE),
            layers.Conv2D(4, 3, padding="same", activation="relu"),
            layer,
            layers.Conv2D(4, 3, activation="relu"),
            layers.Flatten(),
            layers.Dense(5, activation="relu"),
            layers.Dense(2),
        ]
    )
    rng = np.random.default_rng(0)
    for variable in model.trainable_weights:
        variable.assign(np.abs(rng.normal(0.2, 0.3, variable.shape)))
    return model


@pytest.mark.parametrize("name", OPEN)
def test_layers_by_channel_follow_their_neighbour(name: str, tmp_path: Path) -> None:
    model = compiled(with_layer(OPEN[name]()))
    assert "add_channels" in check_children(model, tmp_path / "child.keras")
    wider = model_surgery.apply(model, Mutation(operations.ADD_CHANNELS, 0)).model
    train_step(wider)
    check_file(wider, samples(wider), tmp_path / "child.keras")


@pytest.mark.parametrize("name", CLOSED)
def test_kept_layers_are_named(name: str) -> None:
    make, reason = CLOSED[name]
    model = with_layer(make())
    assert {"add_units", "add_channels"} <= check_children(model)
    with pytest.raises(IllegalMutation, match=f"{reason}.*legal at") as refused:
        model_surgery.apply(model, Mutation(operations.ADD_CHANNELS, 0))
    assert "\n" not in str(refused.value)


HEADS: dict[str, tuple[tuple[Any, ...], list[Make]]] = {
    "text of any length": (
        (None,),
        [lambda: layers.Embedding(9, 4), lambda: layers.GlobalAveragePooling1D()],
    ),
    "masked text": (
        (6,),
        [lambda: layers.Embedding(9, 4, mask_zero=True), lambda: layers.LSTM(3)],
    ),
    "images of any size": (
        (None, None, 3),
        [lambda: layers.Conv2D(4, 3), lambda: layers.GlobalAveragePooling2D()],
    ),
    "recurrent": (
        (6, 3),
        [
            lambda: layers.Bidirectional(layers.GRU(3, return_sequences=True)),
            lambda: layers.SimpleRNN(4),
        ],
    ),
    "convolution over time": (
        (9, 3),
        [
            lambda: layers.Conv1D(4, 3),
            lambda: layers.MaxPooling1D(),
            lambda: layers.GlobalMaxPooling1D(),
        ],
    ),
    "dense by step": ((6, 3), [lambda: layers.TimeDistributed(layers.Dense(4)), layers.Flatten]),
    "dense over steps": ((6, 3), [lambda: layers.Dense(4, "relu"), layers.Flatten]),
    "masked steps": ((6, 3), [lambda: layers.Masking(), lambda: layers.SimpleRNN(4)]),
    "steps normalized": ((6, 3), [lambda: layers.BatchNormalization(), layers.Flatten]),
    "steps standardized": (
        (6, 3),
        [lambda: adapted(layers.Normalization(), (6, 3)), layers.Flatten],
    ),
    "steps by feature": ((6, 3), [lambda: layers.SpatialDropout1D(0.2), layers.Flatten]),
    "volumes": ((4, 4, 4, 2), [lambda: layers.Conv3D(2, 2), layers.Flatten]),
    "films": ((3, 5, 5, 1), [lambda: layers.ConvLSTM2D(2, 2), layers.Flatten]),
    "steps of steps": (
        (3, 6, 2),
        [lambda: layers.TimeDistributed(layers.Conv1D(4, 3)), layers.Flatten],
    ),
    "channels first": (
        (3, 8, 7),
        [
            lambda: layers.Conv2D(4, 3, data_format="channels_first"),
            lambda: layers.MaxPooling2D(data_format="channels_first"),
            layers.Flatten,
        ],
    ),
}


@pytest.mark.parametrize("name", HEADS)
def test_dense_layers_after_any_head_can_change(name: str) -> None:
    shape, head = HEADS[name]
    tail = (layers.Dense(5, "relu"), layers.Dense(4, "relu"), layers.Dense(2))
    model = random_model(shape, *(make() for make in head), *tail)
    found = check_children(model)
    assert found >= {"add_units", "remove_units", "add_dense", "remove_dense", "truncate"}
    assert not found & {"add_conv_cell", "add_channels"}


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_conv_cells_are_channels_last(data_format: str, tmp_path: Path) -> None:
    model = random_model((9, 9, 9), layers.Conv2D(4, 3), layers.Flatten(), layers.Dense(2))
    keras.config.set_image_data_format(data_format)
    try:
        child = model_surgery.apply(model, Mutation(operations.ADD_CONV_CELL, 0)).model
    finally:
        keras.config.set_image_data_format("channels_last")
    check_file(child, samples(child), tmp_path / "child.keras")
    assert [layer.output.shape[1:] for layer in child.layers[:2]] == [(9, 9, 9), (5, 5, 9)]


def test_what_two_axes_are_taken_for_is_said() -> None:
    model = random_model((20, 6), layers.Flatten(), layers.Dense(2))
    (offer,) = model_surgery.list_mutations(model, [operations.ADD_CONV_CELL])
    assert offer.where == "flatten (20x6 taken as height x width)"
    assert "20x6 taken as height x width" in model_surgery.apply(model, offer.mutation).summary


# --- layers with other arrays ---------------------------------------------------------------------


def with_lora() -> keras.Sequential:
    model = random_model((6,), *(layers.Dense(n, "relu") for n in (8, 6, 5)), layers.Dense(2))
    model.layers[0].enable_lora(2)
    return model


def with_one_frozen_array() -> keras.Sequential:
    model = random_model((6,), *(layers.Dense(n, "relu") for n in (8, 6, 5)), layers.Dense(2))
    model.layers[0].bias.trainable = False
    return model


def quantized() -> keras.Sequential:
    model = random_model((6,), *(layers.Dense(n, "relu") for n in (8, 6, 5)), layers.Dense(2))
    model.layers[0].quantize("int8")
    return model


@pytest.mark.parametrize("make", [with_lora, with_one_frozen_array, quantized])
def test_layers_with_other_arrays_are_kept(make: Any) -> None:
    model = compiled(make(), "sgd")
    assert {"add_units", "add_dense"} <= check_children(model)
    with pytest.raises(IllegalMutation, match="the Dense there is kept as it is because of"):
        model_surgery.apply(model, Mutation(operations.ADD_UNITS, 0))


def test_frozen_models_stay_frozen() -> None:
    model = random_model((4,), layers.Dense(5, "relu"), layers.Dense(3))
    model.trainable = False
    check_children(model)


# --- settings of layers ---------------------------------------------------------------------------


def own_initializer(shape: Any, dtype: Any = None) -> Any:
    assert tuple(shape) in {(4, 5), (5, 3)}, "made for these shapes alone"
    return keras.ops.ones(shape, dtype)


@pytest.mark.parametrize(
    "initializer",
    [
        keras.initializers.Constant(np.ones((4, 5)).tolist()),
        np.ones((4, 5), "f4"),
        own_initializer,
        "orthogonal",
        "identity",
    ],
)
def test_initializers_need_not_fit_the_child(initializer: Any) -> None:
    hidden = layers.Dense(5, "relu", kernel_initializer=initializer)
    check_children(compiled(random_model((4,), hidden, layers.Dense(3, "relu"), layers.Dense(2))))


class OwnConstraint(keras.constraints.Constraint):
    """Of one's own, and not registered."""

    def __call__(self, w: Any) -> Any:
        return keras.ops.clip(w, -0.3, 0.3)


@pytest.mark.parametrize(
    "constraint", ["unit_norm", "non_neg", "min_max_norm", "max_norm", OwnConstraint()]
)
def test_children_satisfy_their_constraints(constraint: Any) -> None:
    def dense(units: int) -> keras.Layer:
        return layers.Dense(units, "relu", kernel_constraint=constraint, bias_constraint="non_neg")

    check_children(compiled(random_model((4,), dense(6), dense(5), dense(3)), "sgd"))


def test_constraints_that_break_exactness_are_said() -> None:
    constrained = layers.Dense(3, kernel_constraint="unit_norm", name="narrow")
    model = compiled(random_model((4,), layers.Dense(5, "relu"), constrained))
    summary = model_surgery.apply(model, Mutation(operations.ADD_UNITS, 0)).summary
    assert summary.endswith("approximate: predictions change, also by the constraints of narrow")


def test_constraint_for_one_shape_is_refused() -> None:
    def fixed(w: Any) -> Any:
        return w * np.ones((5, 3), "f4")

    constrained = layers.Dense(3, kernel_constraint=fixed, name="narrow")
    model = random_model((4,), layers.Dense(5, "relu"), constrained)
    with pytest.raises(UnusableFileError, match=r"constraint of layer narrow .* shape \(7, 3\)"):
        model_surgery.apply(model, Mutation(operations.ADD_UNITS, 0))


@pytest.fixture
def policy(request: pytest.FixtureRequest) -> Iterator[str]:
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(request.param)
    yield request.param
    keras.config.set_dtype_policy(before)


@pytest.mark.parametrize(
    "policy",
    ["mixed_float16", "mixed_bfloat16", "float16", "bfloat16", "float64"],
    indirect=True,
)
def test_half_precision_is_never_called_exact(policy: str, tmp_path: Path) -> None:
    model = compiled(
        random_model(
            (4,), layers.Dense(6, "relu"), layers.Dense(5, "relu"), layers.Dense(3, dtype="float32")
        )
    )
    keras.config.set_dtype_policy("float32")
    check_children(model, tmp_path / "child.keras")
    offers = model_surgery.list_mutations(model)
    exact = {offer.mutation.operation.name for offer in offers if offer.exact}
    assert ("add_units" in exact) == (policy == "float64")
    child = model_surgery.apply(model, Mutation(operations.ADD_UNITS, 0)).model
    assert child.dtype_policy.name == policy
    assert type(child.optimizer) is type(model.optimizer)


# --- optimizers -----------------------------------------------------------------------------------

KINDS = keras.optimizers
SCHEDULE = KINDS.schedules.ExponentialDecay(0.01, 2, 0.9)
OPTIMIZERS: dict[str, Callable[[], Any]] = {
    "sgd": lambda: KINDS.SGD(),
    "momentum": lambda: KINDS.SGD(momentum=0.9, nesterov=True),
    "rmsprop": lambda: KINDS.RMSprop(momentum=0.9, centered=True),
    "adam": lambda: KINDS.Adam(amsgrad=True, clipnorm=1.0),
    "adamw": lambda: KINDS.AdamW(SCHEDULE),
    "adamax": lambda: KINDS.Adamax(),
    "nadam": lambda: KINDS.Nadam(),
    "adagrad": lambda: KINDS.Adagrad(),
    "adadelta": lambda: KINDS.Adadelta(),
    "ftrl": lambda: KINDS.Ftrl(),
    "lion": lambda: KINDS.Lion(),
    "lamb": lambda: KINDS.Lamb(),
    "adafactor": lambda: KINDS.Adafactor(),
    "muon": lambda: KINDS.Muon(),
    "averages": lambda: KINDS.SGD(momentum=0.9, use_ema=True),
    "accumulation": lambda: KINDS.Adam(gradient_accumulation_steps=3),
    "loss scale": lambda: KINDS.LossScaleOptimizer(KINDS.Adam()),
}


def state_of(model: keras.Sequential, layer: int) -> list[np.ndarray]:
    """Whatever the optimizer keeps for a layer."""
    return [
        np.asarray(kept[id(variable)])
        for kept in optimizer_slots._by_variable(model.optimizer).values()
        for variable in model.layers[layer].trainable_weights
        if id(variable) in kept
    ]


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizer_state_of_other_layers_stays(name: str, tmp_path: Path) -> None:
    widths = (6, 5, 4)  # of units that never die, which no slot of Adafactor survives
    model = random_model((4,), *(layers.Dense(n, "tanh") for n in widths), layers.Dense(2))
    compiled(model, OPTIMIZERS[name]())
    before = state_of(model, 0)
    assert len(before) > (1 if name != "sgd" else -1)
    counters = [np.asarray(v) for v in optimizer_slots._counters(model.optimizer)]
    for mutation in (
        Mutation(operations.IDENTITY),
        Mutation(operations.ADD_UNITS, 1),
        Mutation(operations.REMOVE_UNITS, 1),
        Mutation(operations.ADD_DENSE, 2),
    ):
        child = model_surgery.apply(model, mutation).model
        for old, new in zip(before, state_of(child, 0), strict=True):
            np.testing.assert_allclose(new, old, rtol=1e-6, atol=1e-30)
        for old, variable in zip(counters, optimizer_slots._counters(child.optimizer), strict=True):
            np.testing.assert_array_equal(np.asarray(variable), old)
    check_file(child, samples(child), tmp_path / "child.keras")
    train_step(child)


def test_layers_of_one_name_keep_their_slots() -> None:
    def dense(units: int) -> keras.Layer:
        return layers.Dense(units, "relu", name="dense")

    encoder = keras.Sequential([keras.Input((4,)), dense(6)], name="encoder")
    model = compiled(random_model((4,), encoder, dense(8), layers.Dense(2)))
    child = model_surgery.apply(model, Mutation(operations.IDENTITY)).model
    for layer in range(3):
        for old, new in zip(state_of(model, layer), state_of(child, layer), strict=True):
            np.testing.assert_array_equal(new, old)
            assert old.any()


# --- Python objects of the user -------------------------------------------------------------------


def own_loss(true: Any, predicted: Any) -> Any:
    return keras.ops.mean((true - predicted) ** 2)


class OwnMetric(keras.metrics.Mean):
    """Needs an argument that no configuration holds."""

    def __init__(self, factor: Any, **settings: Any) -> None:
        super().__init__(**settings)
        self.factor = factor

    def update_state(self, true: Any, predicted: Any, sample_weight: Any = None) -> None:
        super().update_state(self.factor * predicted)


class OwnSchedule(keras.optimizers.schedules.LearningRateSchedule):
    """Without a configuration."""

    def __call__(self, step: Any) -> Any:
        return 0.01 / (1 + keras.ops.cast(step, "float32"))


class OwnOptimizer(keras.optimizers.SGD):
    """Not registered."""


class UncopyableOptimizer(keras.optimizers.SGD):
    """Needs an argument that its configuration lacks."""

    def __init__(self, secret: int, **settings: Any) -> None:
        super().__init__(**settings)


class Square(layers.Layer):
    """Without compute_output_shape and get_config."""

    def __init__(self, power: Any) -> None:
        super().__init__()
        self.power = power

    def call(self, x: Any) -> Any:
        return x**self.power


class OwnTraining(keras.Sequential):
    """A model with a training step of its own."""

    def train_step(self, data: Any) -> Any:
        return {**super().train_step(data), "factor": self.factor}


class OwnCall(keras.Sequential):
    """A model that computes something else than its layers."""

    def call(self, x: Any, **settings: Any) -> Any:
        return 2 * super().call(x, **settings)


def small(*hidden: keras.Layer) -> keras.Sequential:
    return random_model((4,), layers.Dense(5, "relu"), *hidden, layers.Dense(3))


@pytest.mark.parametrize(
    "settings",
    [
        {"loss": own_loss},
        {"loss": lambda true, predicted: keras.ops.mean(abs(true - predicted))},
        {"loss": keras.losses.Huber(0.3), "metrics": [OwnMetric(2), "mae"]},
        {"loss": "mse", "weighted_metrics": ["mae"], "loss_weights": 0.5},
        {"loss": ["mse"], "metrics": [["mae", own_loss]]},
        {"optimizer": KINDS.SGD(OwnSchedule()), "loss": "mse"},
        {"optimizer": KINDS.Adam(lambda: 0.01), "loss": "mse"},
        {"optimizer": OwnOptimizer(0.1, momentum=0.9), "loss": "mse"},
    ],
)
def test_compile_settings_stay_python_objects(settings: dict[str, Any]) -> None:
    model = small()
    model.compile(**settings, run_eagerly=True)
    train_step(model)
    check_children(model)
    child = model_surgery.apply(model, Mutation(operations.ADD_UNITS, 0)).model
    assert child.loss == model.loss
    x, y = samples(model), np.ones((4, 3), "f4")
    found = child.evaluate(x, y, sample_weight=np.arange(4.0), verbose=0, return_dict=True)
    expected = model.evaluate(x, y, sample_weight=np.arange(4.0), verbose=0, return_dict=True)
    assert found == pytest.approx(expected, rel=1e-4)


def test_optimizer_that_cannot_be_copied_is_refused() -> None:
    model = compiled(small(), UncopyableOptimizer(3, learning_rate=0.1))
    with pytest.raises(UnusableFileError, match="optimizer UncopyableOptimizer cannot be copied"):
        model_surgery.apply(model, Mutation(operations.ADD_UNITS, 0))


@pytest.mark.parametrize(
    "own",
    [
        lambda: layers.Dense(4, "relu", kernel_regularizer=lambda w: 0.1 * keras.ops.sum(w * w)),
        lambda: layers.Dense(4, activation=lambda x: keras.ops.maximum(x, 0.1)),
        lambda: Square(keras.ops.convert_to_tensor(2.0)),
        lambda: layers.Lambda(lambda x: 2 * x),
    ],
)
def test_layers_stay_python_objects(own: Make) -> None:
    model = compiled(small(layers.Dense(4, "relu"), own(), layers.Dense(4, "relu")))
    assert {"add_units", "remove_dense"} <= check_children(model)


def relu(x: Any) -> Any:
    return keras.ops.abs(x)


def test_function_with_the_name_of_keras_is_no_other() -> None:
    model = random_model((4,), layers.Dense(5, activation=relu), layers.Dense(3))
    with pytest.raises(IllegalMutation, match="kept as it is because of its activation relu"):
        model_surgery.apply(model, Mutation(operations.ADD_UNITS, 0))


def test_subclass_that_trains_otherwise_is_kept() -> None:
    model = OwnTraining([keras.Input((4,)), layers.Dense(5, "relu"), layers.Dense(3)])
    model.factor = 3
    compiled(model)
    child = model_surgery.apply(model, Mutation(operations.ADD_UNITS, 0)).model
    assert type(child) is OwnTraining
    x, y = samples(child), np.ones((4, 3), "f4")
    assert child.train_on_batch(x, y, return_dict=True)["factor"] == 3


def test_subclass_that_computes_otherwise_is_refused() -> None:
    model = OwnCall([keras.Input((4,)), layers.Dense(5, "relu"), layers.Dense(3)])
    with pytest.raises(UnusableFileError, match="its class OwnCall has call of its own"):
        model_surgery.list_mutations(model)


def test_attributes_of_ones_own_layers_are_shared() -> None:
    own = Square(3)
    model = small(layers.Dense(4), own, layers.Dense(4, "relu"))
    child = model_surgery.apply(model, Mutation(operations.ADD_UNITS, 3)).model
    assert own in child.layers


def test_other_backends_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keras.backend, "backend", lambda: "torch")
    with pytest.raises(UnusableFileError, match="runs on torch, surgery needs TensorFlow"):
        model_surgery.list_mutations(small())
