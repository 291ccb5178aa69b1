"""Samples with several inputs, of which each is a dataset of its own: one row of numbers each.

`data.json` describes each input as it describes a dataset, so that whatever reads the description
of a dataset reads that of an input (`description_of`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from netsurgery.datasets.source import (
    Chunk,
    DataError,
    Settings,
    Source,
    rows_per_chunk,
)
from netsurgery.datasets.table_inputs import input_names
from netsurgery.datasets.units import UnitFitter, Units
from netsurgery.networks.layers import InputPart, input_parts
from netsurgery.networks.packed_inputs import packed

# what describes an input as it describes a dataset
OF_INPUTS = ("shape", "type", "scaling", "missing", "resized", "columns", "features", "reading")


def joined(inputs: Mapping[str, Source]) -> Source:
    """Datasets of the same samples as one, whose samples have an input of each.

    Args:
        inputs: by their names; the labels are those of the first one.

    Raises:
        DataError: they have different numbers of samples.
    """
    first, *others = inputs.values()
    for other in others:
        if other.counts != first.counts:
            raise DataError(
                f"{first.origin}: the inputs {', '.join(inputs)} have different numbers of samples"
            )
    parts = input_parts({name: source.shape for name, source in inputs.items()})
    shape = (parts[-1].stop,)
    rows = rows_per_chunk(shape, np.dtype(np.float64))

    def chunks(part: str) -> Iterator[Chunk]:
        readers = [_in_steps(source.chunks(part), rows) for source in inputs.values()]
        for read in zip(*readers, strict=True):
            yield packed([_as_floats(x) for x, _ in read]), read[0][1]

    return replace(
        first,
        shape=shape,
        dtype=np.dtype(np.float32),
        chunks=chunks,
        missing=any(source.missing for source in inputs.values()),
        columns=(),
        features=(),
        suggestions=tuple(each for source in inputs.values() for each in source.suggestions),
        notes=tuple(dict.fromkeys(note for each in inputs.values() for note in each.notes)),
        inputs=dict(inputs),
    )


def _as_floats(x: np.ndarray) -> np.ndarray:
    """Numbers in a type of floats that holds them."""
    exact = x.dtype.kind == "f" or x.dtype.itemsize <= 2
    return x.astype(np.float32 if exact and x.dtype.itemsize <= 4 else np.float64, copy=False)


def _in_steps(chunks: Iterator[Chunk], rows: int) -> Iterator[Chunk]:
    """Chunks of other lengths: `rows` samples each, and the rest."""
    held: list[Chunk] = []
    for chunk in chunks:
        held.append(chunk)
        count = sum(len(x) for x, _ in held)
        if count >= rows:
            x, y = (np.concatenate(arrays) for arrays in zip(*held, strict=True))
            whole = count - count % rows
            yield from ((x[i : i + rows], y[i : i + rows]) for i in range(0, whole, rows))
            held = [(x[whole:], y[whole:])] if whole < count else []
    if held:
        x, y = (np.concatenate(arrays) for arrays in zip(*held, strict=True))
        yield x, y


# --- descriptions ---------------------------------------------------------------------------------


def describe(source: Source, settings: Settings) -> list[dict[str, Any]]:
    """The inputs of a source, for `data.json`; none if its samples are one array."""
    return [
        {
            "name": name,
            "shape": list(each.shape),
            "type": str(each.dtype),
            "scaling": {
                "method": settings.get("scaling") or each.scaling,
                "largest": each.largest,
            },
            "missing": each.missing,
            "resized": each.resized,
            "columns": list(each.columns),
            "features": list(each.features),
            "reading": dict(each.reading),
        }
        for name, each in source.inputs.items()
    ]


def parts_of(data: Mapping[str, Any]) -> tuple[InputPart, ...]:
    """The inputs of the samples of a prepared dataset; none if they are one array."""
    return input_parts({each["name"]: tuple(each["shape"]) for each in data["inputs"]})


def description_of(data: Mapping[str, Any], part: InputPart) -> dict[str, Any]:
    """The description of one input, as if the dataset had no other."""
    own = next(each for each in data["inputs"] if each["name"] == part.name)
    units = data["units"] and Units.from_json(data["units"])
    if units is not None:
        units = units.map(lambda values: values[part.start : part.stop].reshape(part.shape))
        units = None if units.is_none else units
    return {
        **data,
        **{key: own[key] for key in OF_INPUTS},
        "units": None if units is None else units.to_json(),
        "table": data["table"] if own["columns"] else [],
        "inputs": [],
    }


def descriptions(data: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The description of each input (see `description_of`)."""
    return [description_of(data, part) for part in parts_of(data)]


def input_name(data: Mapping[str, Any], name: str) -> str:
    """What the final model calls an input that is no table by column."""
    taken = [of for each in data["inputs"] for of in input_names(each["columns"]).values()]
    while name in taken:
        name += "_"
    return name


# --- units ----------------------------------------------------------------------------------------


class JoinedUnitFitter:
    """What finds the units of samples with several inputs (see `UnitFitter`).

    Args:
        fitters: by the inputs that may need units; the others are stored as they are.
        width: how many numbers a sample has.
    """

    def __init__(self, fitters: Mapping[InputPart, UnitFitter], width: int) -> None:
        self.fitters, self.width = fitters, width

    def update(self, samples: np.ndarray) -> None:
        """Show some samples (n, numbers)."""
        for part, fitter in self.fitters.items():
            fitter.update(samples[:, part.start : part.stop].reshape(-1, *part.shape))

    def units(self) -> Units | None:
        """The units to store the values in; None if float32 holds them as they are."""
        found = {part: fitter.units() for part, fitter in self.fitters.items()}
        if not any(found.values()):
            return None
        whole = Units.none((self.width,))
        for part, units in found.items():
            if units is not None:
                for values, own in zip(whole.arrays, units.arrays, strict=True):
                    values[part.start : part.stop] = np.broadcast_to(own, part.shape).ravel()
        return whole
