"""Read candidates from their `.keras` files without Keras.

Building a Keras model, to load or save a file, takes longer than training a small network.
`netsurgery.keras_io.archive.write_checkpoint` writes these files.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path

import h5py

from netsurgery.networks.layers import Arrays, InputPart, KeptJoin, Other
from netsurgery.networks.network import Network
from netsurgery.networks.steps import INPUT
from netsurgery.networks.topology import Topology

WEIGHTS = "model.weights.h5"  # in the archive
LAYERS = "layers"  # in the weights file: a folder for each layer, which says the layer's name
VARIABLES = "vars"  # in the folder of a layer, or of the optimizer
STATE = f"optimizer/{VARIABLES}"  # the optimizer's state
PATHS = "paths"  # an attribute of ours: where the folder of a layer has its arrays
# where Keras puts an underscore in the name of a class
FIRST_CAPITAL, SECOND_CAPITAL = re.compile("(.)([A-Z][a-z]+)"), re.compile("([a-z])([A-Z])")


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A network and the state of its optimizer.

    Attributes:
        network: the network.
        state: in the order of the Keras model's variables (see `order_in_keras`).
    """

    network: Network
    state: Arrays


def layer_name(topology: Topology, position: int) -> str:
    """The name of a Keras layer that has no counterpart in a user's model."""
    place = str(topology.places[position]).replace(".", "_")
    layer = topology.layers[position]
    if isinstance(layer, InputPart):
        return layer.name
    kind = snake_case(layer.name) if isinstance(layer, Other | KeptJoin) else layer.kind
    return f"{kind}_{place}"


def snake_case(name: str) -> str:
    """A class's name as Keras writes it in files, such as `conv2d` for Conv2D."""
    return SECOND_CAPITAL.sub(r"\1_\2", FIRST_CAPITAL.sub(r"\1_\2", name)).lower()


def order_in_keras(topology: Topology) -> list[int]:
    """Positions in the order of the Keras model's layers, and so of its variables.

    Keras sorts by the longest way to the output, and layers of the same one by when it first meets
    them on its way back from the output. In a network without blocks they are in order.
    """
    last = len(topology.steps) - 1
    ways = [0] * len(topology.steps)
    for position in reversed(range(last)):
        ways[position] = 1 + max(ways[reader] for reader in topology.readers[position])
    met: dict[int, int] = {}
    ahead = [last]
    while ahead:
        position = ahead.pop()
        if position != INPUT and position not in met:
            met[position] = len(met)
            ahead.extend(reversed(topology.steps[position].inputs))
    return sorted(met, key=lambda position: (-ways[position], met[position]))


def read(path: Path, topology: Topology) -> Checkpoint:
    """Read a checkpoint.

    Args:
        path: of the `.keras` file.
        topology: of the candidate, from its record.
    """
    with zipfile.ZipFile(path) as archive:
        weights = io.BytesIO(archive.read(WEIGHTS))
    with h5py.File(weights) as file:
        held = dict(_held(folder) for folder in file.get(LAYERS, {}).values())
        names = [layer_name(topology, i) for i in range(len(topology.steps))]
        arrays = tuple(held.get(name, ()) for name in names)
        return Checkpoint(Network(topology, arrays), _arrays(file[STATE]))


def _held(folder: h5py.Group) -> tuple[str, Arrays]:
    """The name of a layer and its arrays."""
    if PATHS in folder.attrs:  # of a layer that surgery keeps, which may hold others
        paths = json.loads(folder.attrs[PATHS])
        return folder.attrs["name"], tuple(folder[path][()] for path in paths)
    group = folder[VARIABLES]
    return group.attrs["name"], _arrays(group)


def _arrays(group: h5py.Group) -> Arrays:
    return tuple(group[str(i)][()] for i in range(len(group)))
