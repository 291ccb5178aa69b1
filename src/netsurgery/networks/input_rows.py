"""Starting topologies of samples with several inputs: a row of layers for each, joined flat."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from netsurgery.networks.blocks import Parallel, Row
from netsurgery.networks.entries import ALONG_SIDES, OF_ROWS, Entry, row_of
from netsurgery.networks.layers import InputPart
from netsurgery.networks.topology import Topology

# what makes a row of the features of a table, or of the pixels of an image
OF_FEATURES: tuple[Mapping[str, Mapping[str, Any]], ...] = ({"dense": {"units": 16}},)


def row_of_inputs(entries: Sequence[Entry], inputs: Sequence[InputPart]) -> Row:
    """The layers and blocks of a list of entries, for samples with several inputs.

    What comes before the first dense layer of the list is the row of each image and series. If it
    leaves sides, they are flattened for a dense layer, so that operations may still change their
    lengths. A row of features gets such a layer, too. The rest of the list follows the join.

    Args:
        entries: see `netsurgery.networks.entries.row_of`.
        inputs: of the samples.

    Raises:
        ValueError: an entry does not accept what enters it; the message numbers it from 1.
    """
    names = [next(iter(entry)) for entry in entries]
    dense = next((i for i, name in enumerate(names) if name in OF_ROWS), len(entries))
    own, rest = entries[:dense], entries[dense:]
    has_sides = any(len(part.shape) > 1 for part in inputs)
    rows = []
    for part in inputs:
        takes_own = len(part.shape) > 1 or not (has_sides or ALONG_SIDES.isdisjoint(names))
        row = row_of(own if takes_own else OF_FEATURES, part.shape)
        if len(leaving := Topology(part.shape, row).output_shape) > 1:
            row = (*row, *row_of(OF_FEATURES, leaving))
        rows.append((part, *row))
    joined = Parallel(tuple(rows))
    leaving = Topology((inputs[-1].stop,), (joined,)).output_shape
    return (joined, *row_of(rest, leaving, first=dense + 1))
