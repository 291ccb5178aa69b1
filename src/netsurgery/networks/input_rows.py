"""Starting topologies of samples with several inputs: a row of layers for each, joined flat."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from netsurgery.networks.blocks import Parallel, Row
from netsurgery.networks.entries import ALONG_SIDES, OF_ROWS, Entry, flatten, row_of
from netsurgery.networks.layers import InputPart
from netsurgery.networks.topology import Topology
from netsurgery.objectives.suggestions import suggest

# what makes a row of the features of a table, or of the pixels of an image
OF_FEATURES: tuple[Mapping[str, Mapping[str, Any]], ...] = ({"dense": {"units": 16}},)
OWN_ROWS = "inputs"  # the entry with a list for each input


def row_of_inputs(entries: Sequence[Entry], inputs: Sequence[InputPart]) -> Row:
    """The layers and blocks of a list of entries, for samples with several inputs.

    The list may begin with a list for each input. Otherwise what comes before its first dense
    layer is the row of each image and series. If it leaves sides, they are flattened for a dense
    layer, so that operations may still change their lengths. A row of features gets such a layer,
    too. The rest of the list follows the join.

    Args:
        entries: see `netsurgery.networks.entries.row_of`.
        inputs: of the samples.

    Raises:
        ValueError: an entry does not accept what enters it; the message numbers it from 1.
    """
    names = [next(iter(entry)) for entry in entries]
    if names[:1] == [OWN_ROWS]:
        first, rows = 1, _given(entries[0][OWN_ROWS]["rows"], inputs)
    else:
        first = next((i for i, name in enumerate(names) if name in OF_ROWS), len(entries))
        rows = _same(entries[:first], names, inputs)
    joined = Parallel(tuple((part, *row) for part, row in zip(inputs, rows, strict=True)))
    leaving = Topology((inputs[-1].stop,), (joined,)).output_shape
    return (joined, *row_of(entries[first:], leaving, first=first + 1))


def _same(
    entries: Sequence[Entry], names: Sequence[str], inputs: Sequence[InputPart]
) -> Iterator[Row]:
    """The row of each input, from one list for all images and series.

    Args:
        entries: of the list.
        names: of all entries of the topology.
        inputs: of the samples.
    """
    has_sides = any(len(part.shape) > 1 for part in inputs)
    for part in inputs:
        takes_own = len(part.shape) > 1 or not (has_sides or ALONG_SIDES.isdisjoint(names))
        row = row_of(entries if takes_own else OF_FEATURES, part.shape)
        if len(leaving := Topology(part.shape, row).output_shape) > 1:
            row = (*row, *row_of(OF_FEATURES, leaving))
        yield row


def _given(rows: Mapping[str, Sequence[Entry]], inputs: Sequence[InputPart]) -> Iterator[Row]:
    """The row of each input, from a list for each; what is left of sides is flattened.

    Raises:
        ValueError: an input has no list, or a list is of no input.
    """
    names = [part.name for part in inputs]
    if unknown := [name for name in rows if name not in names]:
        hint = suggest(unknown[0], names)
        raise ValueError(f"entry 1, {OWN_ROWS}: unknown input {unknown[0]!r}{hint}")
    if missing := [name for name in names if name not in rows]:
        raise ValueError(
            f"entry 1, {OWN_ROWS}: has no list for the input {missing[0]!r}; an empty one, [], "
            f"passes it on"
        )
    for part in inputs:
        try:
            row = row_of(rows[part.name], part.shape)
        except ValueError as error:
            raise ValueError(f"entry 1, {OWN_ROWS}, {part.name}, {error}") from None
        yield (*row, *flatten(Topology(part.shape, row).output_shape))
