"""A user's Keras model as the start of a search: what it is, its weights and its optimizer's state.

    python -m netsurgery.training.starting_model model.keras

describes a model as JSON. The workflow asks in a process of its own, so that it need not import
TensorFlow itself.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras

from netsurgery.keras_io import conversion, optimizer_slots, reading, user_files
from netsurgery.keras_io.layers_from_keras import leaves_out
from netsurgery.keras_io.variables import to_array
from netsurgery.networks.layers import (
    Arrays,
    KeptJoin,
    Other,
)
from netsurgery.networks.network import Network
from netsurgery.objectives import keras_catalog
from netsurgery.objectives.checks import WITH_MOMENTUM
from netsurgery.objectives.keras_catalog import LOSSES, OPTIMIZERS
from netsurgery.objectives.training_settings import FLOAT32, CompileSettings
from netsurgery.storage.files import UnusableFileError
from netsurgery.training import trainability
from netsurgery.training.keras_objects import compile_arguments

# of an optimizer's configuration; the others are arguments of its class
NO_ARGUMENTS = ("name", "learning_rate", "momentum", "loss_scale_factor")


# --- what it is -----------------------------------------------------------------------------------


def describe(path: Path) -> dict[str, Any]:
    """Describe a model.

    Returns:
        Its `topology`; its compilation as `settings` of a search; and `notes`, one line each on
        what a search does not keep.

    Raises:
        UnusableFileError: it cannot be read, or a search could not train it.
    """
    model, network, layers = _read(path)
    if reason := trainability.why_not(model, network):
        raise UnusableFileError(f"{path}: {reason}")
    notes = _layer_notes(model, network, layers)
    settings = _compilation(model, notes)
    return {"topology": network.topology.to_json(), "settings": settings, "notes": notes}


def _read(path: Path) -> tuple[keras.Model, Network, list[Any]]:
    """A model, the network that it is, and its layer for each of the network's."""
    model = user_files.read_model(path)
    return model, *reading.read(model)


def _layer_notes(model: keras.Model, network: Network, layers: Sequence[Any]) -> list[str]:
    """What a search does not keep of the layers of a model, one line each."""
    known = [
        (made, layer)
        for made, layer in zip(layers, network.topology.layers, strict=True)
        if isinstance(made, keras.Layer) and not isinstance(layer, Other | KeptJoin)
    ]
    frozen = [made.name for made, _ in known if made.weights and not made.trainable]
    penalized = [made.name for made, layer in known if leaves_out(made, layer)]
    inner = model._flatten_layers(include_self=False)
    constrained = [layer.name for layer in inner if _has_constraint(layer)]
    notes = []
    if frozen:
        notes.append(f"frozen layers are trained as the others ({', '.join(frozen)})")
    if penalized:
        notes.append(f"regularizers but L1 and L2 of kernels are left out ({', '.join(penalized)})")
    if constrained:
        notes.append(f"constraints are left out ({', '.join(constrained)})")
    if model.dtype_policy.name != FLOAT32:
        notes.append(
            f"its dtype policy {model.dtype_policy.name} is left out; precision sets that of the"
            " search"
        )
    return notes


def _has_constraint(layer: keras.Layer) -> bool:
    return any(value for key, value in vars(layer).items() if key.endswith("constraint"))


def _compilation(model: keras.Model, notes: list[str]) -> dict[str, Any]:
    """The compilation of a model as settings; adds notes on what is none."""
    if not model.compiled:
        return {}
    settings = _optimizer(model.optimizer, notes)
    loss = model.loss
    config = loss.get_config() if isinstance(loss, keras.losses.Loss) else {}
    name = loss if isinstance(loss, str) else config.get("name", getattr(loss, "__name__", ""))
    try:
        known = keras_catalog.find(LOSSES, name)
    except KeyError:
        notes.append("its loss is none of Keras's; that of the search is used")
        return settings
    given = {key: value for key, value in config.items() if key in known.arguments}
    # searches set it by the activation of the output, and reduce by the mean
    given = {k: v for k, v in given.items() if k not in ("from_logits", "reduction", "dtype")}
    setting = keras_catalog.without_defaults(LOSSES, {name: given})
    if _is_valid(LOSSES, setting):
        settings["loss"] = setting
    return settings


def _optimizer(optimizer: Any, notes: list[str]) -> dict[str, Any]:
    inner = getattr(optimizer, "inner_optimizer", None) or optimizer
    config = inner.get_config()
    known = {each: keras_catalog.find(OPTIMIZERS, each) for each in keras_catalog.names(OPTIMIZERS)}
    name = next((k for k, v in known.items() if v.class_name == type(inner).__name__), "")
    given = {
        key: value
        for key, value in config.items()
        if key in (known[name].arguments if name else ()) and key not in NO_ARGUMENTS
    }
    setting = keras_catalog.without_defaults(OPTIMIZERS, {name: given}) if name else ""
    if not name or not _is_valid(OPTIMIZERS, setting):
        notes.append(
            f"its optimizer {type(inner).__name__} is none of Keras's; that of the search is used"
        )
        return {}
    rate = config["learning_rate"]
    if not isinstance(rate, float):
        rate = float(inner.learning_rate)
        notes.append(f"its schedule of learning rates is left out; it has reached {rate:g}")
    momentum = config.get("momentum", 0.0) if name in WITH_MOMENTUM else 0.0
    # float32 in Keras; the shortest number that is the same there
    rate = float(f"{rate:.6g}")
    return {
        "optimizer": setting,
        "learning_rate": rate,
        **({"momentum": momentum} if momentum else {}),
        **({"ema_momentum": config["ema_momentum"]} if config.get("use_ema") else {}),
    }


def _is_valid(kind: str, setting: Any) -> bool:
    try:
        keras_catalog.check(kind, setting)
        json.dumps(setting)
    except (TypeError, ValueError):
        return False
    return True


# --- its weights and its optimizer's state --------------------------------------------------------


def load(path: Path, settings: CompileSettings) -> tuple[Network, Arrays | None]:
    """Read a model to train it.

    Args:
        path: of the model.
        settings: of the search.

    Returns:
        The network, and the state of its optimizer in Keras's order; None if the model has none, or
        one of another optimizer.

    Raises:
        UnusableFileError: it cannot be read, or a search could not train it.
    """
    model, network, own = _read(path)
    return network, _state(model, network, own, settings)


def _state(
    model: keras.Model,
    network: Network,
    own: Sequence[Any],
    settings: CompileSettings,
) -> Arrays | None:
    if not model.compiled or not model.optimizer.built:
        return None
    same, layers = conversion.build(network)
    activation = network.topology.layers[-1].activation_function
    same.compile(**compile_arguments(settings, activation), jit_compile=False)
    same.optimizer.build(same.trainable_variables)
    if type(model.optimizer) is not type(same.optimizer):
        return None
    slots = optimizer_slots.read_slots(model, own)
    optimizer_slots.transfer_state(model, same, layers, slots, {})
    same.optimizer.learning_rate.assign(settings.learning_rate)
    if settings.ema_momentum:  # they start anew, as after surgery
        averages = same.optimizer._model_variables_moving_average
        for average, weight in zip(averages, same.trainable_variables, strict=True):
            average.assign(weight)
    return tuple(to_array(variable) for variable in same.optimizer.variables)


def main(path: str) -> None:
    """Print the description of a model as JSON; exit with one line if it cannot be used."""
    try:
        print(json.dumps(describe(Path(path))))
    except UnusableFileError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main(sys.argv[1])
