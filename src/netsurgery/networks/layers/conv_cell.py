"""The conv cell of ECToNAS."""

from __future__ import annotations

from netsurgery.networks.layers.base import Layer
from netsurgery.networks.layers.convolution import Conv
from netsurgery.networks.layers.elementwise import Activation, BatchNorm
from netsurgery.networks.layers.pooling import AVERAGE, Pool


def conv_cell(channels: int, *, pooling: str = AVERAGE, activation: str = "relu") -> list[Layer]:
    """The layers of one conv cell (ECToNAS section 3.2), which are added and removed together."""
    return [Conv(channels), Pool(pooling), BatchNorm(), Activation(activation)]


CONV_CELL_KINDS = tuple(map(type, conv_cell(1)))
CONV_CELL_LENGTH = len(CONV_CELL_KINDS)
