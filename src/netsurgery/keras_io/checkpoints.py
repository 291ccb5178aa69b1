"""Candidates read from their `.keras` files without Keras.

Building a Keras model, to load a file or to save it, takes longer than small networks take to
train. `netsurgery.keras_io.archive.write_checkpoint` writes what is read here.
"""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from pathlib import Path

import h5py

from netsurgery.networks.layers import Arrays, BatchNorm, Conv, Dense
from netsurgery.networks.network import Network, Topology

WEIGHTS = "model.weights.h5"  # in the archive
STATE = "optimizer/vars"  # of the optimizer, in the file of weights
# Keras numbers the layers of a class, and names the first one for the class alone
FOLDERS = {Conv: "conv2d", BatchNorm: "batch_normalization", Dense: "dense"}


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A network and what its optimizer remembers, in Keras's order."""

    network: Network
    state: Arrays


def folders(topology: Topology) -> dict[int, str]:
    """Where the arrays of each layer that has some lie in the file of weights."""
    found, seen = {}, dict.fromkeys(FOLDERS, 0)
    for position, layer in enumerate(topology.layers):
        if (kind := type(layer)) in FOLDERS:
            number = f"_{seen[kind]}" if seen[kind] else ""
            found[position] = f"layers/{FOLDERS[kind]}{number}/vars"
            seen[kind] += 1
    return found


def read(path: Path, topology: Topology) -> Checkpoint:
    """Read a candidate.

    Args:
        path: of the `.keras` file.
        topology: of the candidate, as its record has it.
    """
    with zipfile.ZipFile(path) as archive:
        weights = io.BytesIO(archive.read(WEIGHTS))
    found = folders(topology)
    with h5py.File(weights) as file:

        def arrays(folder: str) -> Arrays:
            group = file[folder]
            return tuple(group[str(i)][()] for i in range(len(group)))

        layers = range(len(topology.layers))
        network = tuple(arrays(found[i]) if i in found else () for i in layers)
        return Checkpoint(Network(topology, network), arrays(STATE))
