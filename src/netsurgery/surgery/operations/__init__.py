"""All operations: an operation is one object, and this registry is the only list of them.

To add an operation, write a module with a subclass of `Operation` and add one line here.
"""

from __future__ import annotations

from netsurgery.surgery.operations.base import Operation
from netsurgery.surgery.operations.block_removal import RemoveBlock, RemoveBranch
from netsurgery.surgery.operations.cells import AddCell
from netsurgery.surgery.operations.channels import AddChannels, RemoveChannels
from netsurgery.surgery.operations.conv_cells import AddConvCell, RemoveConvCell
from netsurgery.surgery.operations.dense_layers import AddDense, RemoveDense
from netsurgery.surgery.operations.dropout import AddDropout, RemoveDropout
from netsurgery.surgery.operations.gates import AddGate, RemoveGate
from netsurgery.surgery.operations.global_pooling import (
    FlattenToGlobalPooling,
    GlobalPoolingToFlatten,
)
from netsurgery.surgery.operations.identity import Identity
from netsurgery.surgery.operations.kernel_size import GrowKernel, ShrinkKernel
from netsurgery.surgery.operations.merging import MergeConvolutions, MergeNormalization
from netsurgery.surgery.operations.residual_blocks import AddBottleneckBlock, AddResidualBlock
from netsurgery.surgery.operations.separable import JoinSeparable, Separate
from netsurgery.surgery.operations.shortcuts import MakePlain, MakeResidual
from netsurgery.surgery.operations.truncation import Truncate
from netsurgery.surgery.operations.units import AddUnits, RemoveUnits

__all__ = [
    "ADD_BOTTLENECK_BLOCK",
    "ADD_CELL",
    "ADD_CHANNELS",
    "ADD_CONV_CELL",
    "ADD_DENSE",
    "ADD_DROPOUT",
    "ADD_GATE",
    "ADD_RESIDUAL_BLOCK",
    "ADD_UNITS",
    "ECTONAS",
    "FLATTEN_TO_GLOBAL_POOLING",
    "GLOBAL_POOLING_TO_FLATTEN",
    "GROW_KERNEL",
    "IDENTITY",
    "JOIN_SEPARABLE",
    "MAKE_PLAIN",
    "MAKE_RESIDUAL",
    "MERGE_CONVOLUTIONS",
    "MERGE_NORMALIZATION",
    "OPERATIONS",
    "PAPERS",
    "REMOVE_BLOCK",
    "REMOVE_BRANCH",
    "REMOVE_CHANNELS",
    "REMOVE_CONV_CELL",
    "REMOVE_DENSE",
    "REMOVE_DROPOUT",
    "REMOVE_GATE",
    "REMOVE_UNITS",
    "SEPARATE",
    "SHRINK_KERNEL",
    "SURGEON",
    "TRUNCATE",
    "Operation",
    "by_name",
]

# in the order in which mutations are listed
OPERATIONS: tuple[Operation, ...] = (
    IDENTITY := Identity(),
    ADD_DENSE := AddDense(),
    REMOVE_DENSE := RemoveDense(),
    ADD_UNITS := AddUnits(),
    REMOVE_UNITS := RemoveUnits(),
    ADD_CONV_CELL := AddConvCell(),
    REMOVE_CONV_CELL := RemoveConvCell(),
    ADD_CHANNELS := AddChannels(),
    REMOVE_CHANNELS := RemoveChannels(),
    TRUNCATE := Truncate(),
    # beyond the papers
    ADD_RESIDUAL_BLOCK := AddResidualBlock(),
    ADD_BOTTLENECK_BLOCK := AddBottleneckBlock(),
    REMOVE_BLOCK := RemoveBlock(),
    REMOVE_BRANCH := RemoveBranch(),
    ADD_CELL := AddCell(),
    MAKE_RESIDUAL := MakeResidual(),
    MAKE_PLAIN := MakePlain(),
    GROW_KERNEL := GrowKernel(),
    SHRINK_KERNEL := ShrinkKernel(),
    FLATTEN_TO_GLOBAL_POOLING := FlattenToGlobalPooling(),
    GLOBAL_POOLING_TO_FLATTEN := GlobalPoolingToFlatten(),
    ADD_DROPOUT := AddDropout(),
    REMOVE_DROPOUT := RemoveDropout(),
    ADD_GATE := AddGate(),
    REMOVE_GATE := RemoveGate(),
    MERGE_CONVOLUTIONS := MergeConvolutions(),
    MERGE_NORMALIZATION := MergeNormalization(),
    SEPARATE := Separate(),
    JOIN_SEPARABLE := JoinSeparable(),
)
# the operations of each paper (ECToNAS section 3.2; Surgeon section 3.1)
ECTONAS: tuple[Operation, ...] = (
    IDENTITY,
    ADD_DENSE,
    REMOVE_DENSE,
    ADD_UNITS,
    REMOVE_UNITS,
    ADD_CONV_CELL,
    REMOVE_CONV_CELL,
    ADD_CHANNELS,
    REMOVE_CHANNELS,
)
SURGEON: tuple[Operation, ...] = (
    IDENTITY,
    ADD_DENSE,
    REMOVE_DENSE,
    ADD_UNITS,
    REMOVE_UNITS,
    TRUNCATE,
)
# the operations of either paper
PAPERS: tuple[Operation, ...] = (*ECTONAS, TRUNCATE)


def by_name(name: str) -> Operation:
    """The operation with this name.

    Raises:
        ValueError: there is none.
    """
    known = {operation.name: operation for operation in OPERATIONS}
    if name not in known:
        raise ValueError(f"unknown operation {name!r}: expected one of {', '.join(known)}")
    return known[name]
