"""Candidates as `.keras` files, written and read without building a Keras model.

Building one, to save or to load it, takes longer than small networks take to train. The file is
the one that Keras writes (a test compares them), compiled and with the state of its optimizer, and
plain `keras.models.load_model` takes it. Like those of `netsurgery.keras_files.save` it holds no
dates, so that the same candidate gives the same bytes.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import keras

from netsurgery.files import written
from netsurgery.keras_files import FIXED_DATE, to_keras_layer, without_addresses
from netsurgery.layers import BatchNorm, Conv, Dense
from netsurgery.network import Arrays, Network, Topology

NAME = "network"
METADATA, CONFIG, WEIGHTS = "metadata.json", "config.json", "model.weights.h5"
# Keras numbers the layers of a class, and names the first one for the class alone
FOLDERS = {Conv: "conv2d", BatchNorm: "batch_normalization", Dense: "dense"}


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A network and what its optimizer remembers, in Keras's order."""

    network: Network
    state: Arrays


def _folders(topology: Topology) -> dict[int, str]:
    """Where the arrays of each layer that has some lie in the file of weights."""
    found, seen = {}, dict.fromkeys(FOLDERS, 0)
    for position, layer in enumerate(topology.layers):
        if (kind := type(layer)) in FOLDERS:
            number = f"_{seen[kind]}" if seen[kind] else ""
            found[position] = f"layers/{FOLDERS[kind]}{number}/vars"
            seen[kind] += 1
    return found


def _name(topology: Topology, position: int) -> str:
    return f"{topology.layers[position].kind}_{position}"


def _plain(value: Any) -> Any:
    return without_addresses(keras.saving.serialize_keras_object(value))


def _config(topology: Topology, compiled: Mapping[str, Any]) -> dict[str, Any]:
    """What Keras says of the compiled model."""
    shape = [None, *topology.input_shape]
    layers = [_plain(keras.layers.InputLayer(batch_shape=tuple(shape), name="input"))]
    for i, layer in enumerate(topology.layers):
        unbuilt = to_keras_layer(layer, _name(topology, i))
        layers.append(_plain(unbuilt))
        if not unbuilt.built:
            layers[-1]["build_config"] = {"input_shape": [None, *topology.shapes[i]]}
    return {
        "module": "keras",
        "class_name": "Sequential",
        "config": {
            "name": NAME,
            "trainable": True,
            "dtype": layers[1]["config"]["dtype"],
            "layers": layers,
            "build_input_shape": shape,
        },
        "registered_name": None,
        "build_config": {"input_shape": shape},
        "compile_config": {
            **{key: _plain(value) for key, value in compiled.items()},
            "loss_weights": None,
            "weighted_metrics": None,
            "run_eagerly": False,
            "steps_per_execution": 1,
            "jit_compile": False,
        },
    }


def _put(file: h5py.File, folder: str, name: str, arrays: Arrays) -> None:
    group = file.create_group(folder)
    group.attrs["name"] = name
    for i, array in enumerate(arrays):
        group[str(i)] = array


def write(path: Path, checkpoint: Checkpoint, compiled: Mapping[str, Any]) -> None:
    """Write a candidate, whole or not at all.

    Args:
        path: of the `.keras` file.
        checkpoint: the candidate.
        compiled: Keras's optimizer, loss and metrics, as `compile` takes them.
    """
    network, topology = checkpoint.network, checkpoint.network.topology
    weights = io.BytesIO()
    with h5py.File(weights, "w") as file:
        _put(file, "vars", NAME, ())
        for position, folder in _folders(topology).items():
            _put(file, folder, _name(topology, position), network.weights[position])
        _put(file, "optimizer/vars", compiled["optimizer"].name, checkpoint.state)
    content: dict[str, str | bytes] = {
        METADATA: json.dumps({"keras_version": keras.__version__}),
        CONFIG: json.dumps(_config(topology, compiled)),
        WEIGHTS: weights.getvalue(),
    }
    with written(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for name, value in content.items():
            archive.writestr(zipfile.ZipInfo(name, FIXED_DATE), value)


def read(path: Path, topology: Topology) -> Checkpoint:
    """Read a candidate that `write` wrote.

    Args:
        path: of the `.keras` file.
        topology: of the candidate, as its record has it.
    """
    with zipfile.ZipFile(path) as archive:
        weights = io.BytesIO(archive.read(WEIGHTS))
    folders = _folders(topology)
    with h5py.File(weights) as file:

        def arrays(folder: str) -> Arrays:
            group = file[folder]
            return tuple(group[str(i)][()] for i in range(len(group)))

        layers = range(len(topology.layers))
        network = tuple(arrays(folders[i]) if i in folders else () for i in layers)
        return Checkpoint(Network(topology, network), arrays("optimizer/vars"))
