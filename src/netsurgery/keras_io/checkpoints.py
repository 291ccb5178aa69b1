"""Read candidates from their `.keras` files without Keras.

Building a Keras model, to load or save a file, takes longer than training a small network.
`netsurgery.keras_io.archive.write_checkpoint` writes these files.
"""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from pathlib import Path

import h5py

from netsurgery.networks.layers import Arrays, BatchNorm, Conv, Dense
from netsurgery.networks.network import Network
from netsurgery.networks.topology import Topology

WEIGHTS = "model.weights.h5"  # in the archive
STATE = "optimizer/vars"  # the optimizer's state, in the weights file
# Keras numbers the layers of a class, and names the first one for the class alone
FOLDERS = {Conv: "conv2d", BatchNorm: "batch_normalization", Dense: "dense"}


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A network and the state of its optimizer, in Keras's order."""

    network: Network
    state: Arrays


def folders(topology: Topology) -> dict[int, str]:
    """The group of the weights file that holds the arrays of each layer that has any."""
    groups, counts = {}, dict.fromkeys(FOLDERS, 0)
    for position, layer in enumerate(topology.layers):
        if (kind := type(layer)) in FOLDERS:
            number = f"_{counts[kind]}" if counts[kind] else ""
            groups[position] = f"layers/{FOLDERS[kind]}{number}/vars"
            counts[kind] += 1
    return groups


def read(path: Path, topology: Topology) -> Checkpoint:
    """Read a checkpoint.

    Args:
        path: of the `.keras` file.
        topology: of the candidate, from its record.
    """
    with zipfile.ZipFile(path) as archive:
        weights = io.BytesIO(archive.read(WEIGHTS))
    groups = folders(topology)
    with h5py.File(weights) as file:

        def arrays(folder: str) -> Arrays:
            group = file[folder]
            return tuple(group[str(i)][()] for i in range(len(group)))

        layers = range(len(topology.layers))
        network = tuple(arrays(groups[i]) if i in groups else () for i in layers)
        return Checkpoint(Network(topology, network), arrays(STATE))
