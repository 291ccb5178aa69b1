"""Surgery on a Keras model as its user has it: what it allows, and one operation performed.

What the user set stays: the names and settings of the layers, how the model is compiled, and what
its optimizer remembers of the weights that stay.
"""

from __future__ import annotations

import json
import re
import warnings
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from netsurgery.keras_io import archive, conversion, optimizer_slots
from netsurgery.networks.network import Network, Topology
from netsurgery.storage.files import UnusableFileError
from netsurgery.surgery import (
    ECTONAS,
    IllegalMutation,
    Mutation,
    Operation,
    is_exact,
    legal_mutations,
    mutate,
    mutate_topology,
)

Origins = list[int | None]


@dataclass(frozen=True)
class LegalMutation:
    """A legal mutation of a model, the layer at its place, and what it would give.

    That is so many trainable parameters, and, if it is exact, the same predictions up to rounding.
    """

    mutation: Mutation
    parameters: int
    exact: bool
    where: str = ""


@dataclass(frozen=True)
class Result:
    """An operated model, and what was done in one line."""

    model: keras.Sequential
    summary: str


# --- models ---------------------------------------------------------------------------------------


def origins(topology: Topology, child: Topology, mutation: Mutation) -> Origins:
    """For each layer of the child the position of that layer in its parent; None for new ones."""
    old = list(range(len(topology.layers)))
    position, grown = mutation.position or 0, len(child.layers) - len(old)
    return [*old[:position], *[None] * max(0, grown), *old[position + max(0, -grown) :]]


def parameters(topology: Topology, like: Sequence[keras.Layer | None]) -> int:
    """Trainable parameters, without those of layers that are frozen."""
    frozen = [old is not None and not old.trainable for old in like]
    kept = zip(topology.layers, topology.shapes, frozen, strict=False)
    return topology.parameters - sum(
        Topology(shape, (layer,)).parameters for layer, shape, is_frozen in kept if is_frozen
    )


def list_mutations(
    model: keras.Sequential, operations: Sequence[Operation] = ECTONAS
) -> list[LegalMutation]:
    """All mutations that a model allows, by operation and position; see `legal_mutations`.

    Raises:
        Unusable: the model is not sequential, or does not know the shape of its input.
    """
    topology = _network(model).topology
    found = []
    for mutation in legal_mutations(topology, operations=operations):
        child = mutate_topology(topology, mutation)
        like = _like(model, origins(topology, child, mutation))
        where = "" if mutation.position is None else str(topology.layers[mutation.position])
        found.append(
            LegalMutation(mutation, parameters(child, like), is_exact(topology, mutation), where)
        )
    return found


def to_json(offer: LegalMutation) -> dict[str, Any]:
    """An offer as plain values."""
    return {**offer.mutation.to_json(), "parameters": offer.parameters, "exact": offer.exact}


def apply(
    model: keras.Sequential,
    mutation: Mutation,
    rng: np.random.Generator | None = None,
    *,
    calibration: np.ndarray | None = None,
    noise: float = 0.0,
) -> Result:
    """The model after a mutation, compiled as it was; the given one is not to be used afterwards.

    Args:
        model: sequential; layers that surgery does not know become the new model's.
        mutation: the operation, its place and its size.
        rng: draws what is copied.
        calibration: (n, *input_shape) samples as the model takes them, for removals by least
            squares.
        noise: relative size of noise on copies of units and channels.

    Raises:
        IllegalMutation: the model does not allow it; the message says why.
        Unusable: the model is not sequential or its weights are not finite, or the calibration
            samples do not fit it.
    """
    network = _network(model)
    topology = network.topology
    mutate_topology(topology, mutation)  # an illegal mutation is the first thing to say
    if not network.finite:
        raise UnusableFileError("its weights are not finite: training has failed")
    if noise and not mutation.operation.accepts_noise:
        raise IllegalMutation(
            f"{mutation.operation} takes no noise: it copies no units or channels"
        )
    if calibration is not None:
        _check_samples(topology, calibration)
    starts = optimizer_slots.starts(model) if model.compiled else {}
    slots = optimizer_slots.shifted(optimizer_slots.read_slots(model), starts, -1)
    try:
        operated = mutate(network, mutation, rng, calibration=calibration, slots=slots, noise=noise)
    except ValueError as unknown:
        if calibration is None:
            raise
        raise UnusableFileError(f"calibration: {unknown}") from None
    child = operated.network.topology
    like = _like(model, origins(topology, child, mutation))
    before = parameters(topology, model.layers)
    new = conversion.to_keras(operated.network, like, parent=model)
    if model.compiled:
        new.compile_from_config(model.get_compile_config())
        optimizer_slots.carry(model, new, optimizer_slots.shifted(operated.slots, starts, 1))
    summary = (
        f"{_done(topology, child, mutation)}; {before:,} -> {parameters(child, like):,} parameters;"
        f" {_effect(topology, mutation, operated.noise_bound)}"
    )
    return Result(new, summary)


def _network(model: keras.Model) -> Network:
    try:
        return conversion.from_keras(model)
    except ValueError as unusable:
        raise UnusableFileError(str(unusable)) from None


def _like(model: keras.Sequential, found: Origins) -> list[keras.Layer | None]:
    return [None if i is None else model.layers[i] for i in found]


def _done(topology: Topology, child: Topology, mutation: Mutation) -> str:
    """What a mutation did to the layers, in words."""
    position = mutation.position
    if position is None:
        return "identity: nothing changed"
    found = origins(topology, child, mutation)
    added = [str(layer) for layer, i in zip(child.layers, found, strict=True) if i is None]
    gone = [str(layer) for i, layer in enumerate(topology.layers) if i not in found]
    what = f"{mutation.operation} at {position}: "
    if added:
        return f"{what}new {', '.join(added)}"
    if gone:
        return f"{what}without {', '.join(gone)}"
    return f"{what}{topology.layers[position]} is now {child.layers[position]}"


def _effect(topology: Topology, mutation: Mutation, noise_bound: float) -> str:
    if noise_bound:
        return (
            f"approximate: noise, the next layer's change is at most {noise_bound:.3g} of its input"
        )
    if is_exact(topology, mutation):
        return "exact: it predicts the same"
    return "approximate: it predicts something else"


def _check_samples(topology: Topology, samples: np.ndarray) -> None:
    if samples.shape[1:] != topology.input_shape or not len(samples):
        raise UnusableFileError(
            f"calibration: samples of shape {samples.shape[1:]}, but the model takes"
            f" {topology.input_shape}"
            if len(samples)
            else "calibration: there are no samples"
        )


# --- files ----------------------------------------------------------------------------------------

MOST_UNPACKED, LARGE = 10, 2**23  # times the size of the file, and that at least in bytes
HDF5 = b"\x89HDF"
OWN_CODE = re.compile(r"Could not locate (?:class|function) '([^']+)'")


def read_model(path: Path, *, compiled: bool = True) -> keras.Sequential:
    """A model from a `.keras` file, without running any code that came with it.

    Args:
        path: of the file.
        compiled: also how it was compiled, and its optimizer.

    Raises:
        Unusable: there is no such file, it is something else, or it needs code that is not Keras's.
    """
    if not path.is_file():
        raise UnusableFileError(
            f"{path}: {'that is a folder' if path.is_dir() else 'no such file'}"
        )
    if lambdas := _lambdas(_config(path)):
        raise UnusableFileError(
            f"{path}: {', '.join(lambdas)} would run Python code stored in the file"
        )
    try:
        model = _load(path, compiled)
        _network(model)
    except UnusableFileError as unusable:
        raise UnusableFileError(f"{path}: {unusable}") from None
    return model


def _load(path: Path, compiled: bool) -> keras.Sequential:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what matters is an error below
            return archive.load(path, compiled=compiled)
    except Exception as failed:  # whatever Keras stumbles over
        why = _why(failed)
    if compiled:
        _load(path, compiled=False)
        why = f"how it was compiled cannot be kept (--uncompiled leaves it out): {why}"
    raise UnusableFileError(why)


def _config(path: Path) -> Any:
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(member.file_size for member in archive.infolist())
            bounded = size <= MOST_UNPACKED * max(path.stat().st_size, LARGE)
            if bounded:
                return json.loads(archive.read("config.json"))
    except (zipfile.BadZipFile, KeyError, ValueError):
        with path.open("rb") as file:
            old = file.read(len(HDF5)) == HDF5
        hint = ": HDF5 is older, load it with Keras and save it as .keras" if old else ""
        raise UnusableFileError(f"{path}: not a .keras file{hint}") from None
    raise UnusableFileError(
        f"{path}: would unpack to {size:,} bytes; Keras does not pack its files"
    )


def _lambdas(config: Any, owner: str = "the model") -> list[str]:
    """The layers that hold code, by name."""
    if isinstance(config, list):
        return [found for part in config for found in _lambdas(part, owner)]
    if not isinstance(config, dict):
        return []
    if config.get("class_name") == "__lambda__":
        return [owner]
    settings = config.get("config")
    if isinstance(settings, dict) and "name" in settings:
        owner = f"layer {settings['name']}"
    return [found for part in config.values() for found in _lambdas(part, owner)]


def _why(failed: Exception) -> str:
    """What went wrong when Keras loaded a file, in one line."""
    text = str(failed)
    if own := OWN_CODE.search(text):
        return f"it uses {own[1]}, which is not part of Keras"
    return (
        f"Keras cannot load it: {text.strip().splitlines()[0] if text else type(failed).__name__}"
    )


def read_samples(path: Path) -> np.ndarray:
    """Samples from a `.npy` file, or the only or first array of a `.npz` file.

    Raises:
        Unusable: there is no such file, or it holds something else than numbers.
    """
    if not path.is_file():
        raise UnusableFileError(f"{path}: no such file")
    try:
        found = np.load(path, allow_pickle=False)
        if isinstance(found, np.lib.npyio.NpzFile):
            with found:
                found = found[found.files[0]]
    except (ValueError, OSError, IndexError, EOFError, zipfile.BadZipFile):
        raise UnusableFileError(f"{path}: not a .npy or .npz file of numbers") from None
    if not (found.ndim and np.issubdtype(found.dtype, np.number)):
        raise UnusableFileError(f"{path}: not a .npy or .npz file of numbers")
    return found
