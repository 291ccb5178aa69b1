"""Layers as values: what each kind is, the shape of its output and the arrays that it holds.

Everything here is immutable and free of TensorFlow.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from netsurgery.networks.layers.base import Arrays, KernelLayer, Layer, LinearLayer, Shape
from netsurgery.networks.layers.conv_cell import CONV_CELL_KINDS, CONV_CELL_LENGTH, conv_cell
from netsurgery.networks.layers.convolution import (
    Conv,
    Convolution,
    DepthwiseConv,
    SeparableConv,
    Windowed,
)
from netsurgery.networks.layers.dense import Dense
from netsurgery.networks.layers.elementwise import (
    Activation,
    BatchNorm,
    ClippedReLU,
    Dropout,
    LayerNorm,
    PReLU,
)
from netsurgery.networks.layers.input_part import InputPart, input_parts
from netsurgery.networks.layers.joining import JOINS, Add, Concatenate, Join, Multiply
from netsurgery.networks.layers.other import KeptJoin, Other, PerChannel, Regularization
from netsurgery.networks.layers.padding import Cropping, ZeroPadding
from netsurgery.networks.layers.pooling import POOLINGS, GlobalPool, Pool
from netsurgery.networks.layers.reshaping import Flatten, OnePixel, Rescaling, Reshape
from netsurgery.networks.layers.windows import CAUSAL, SAME, VALID

__all__ = [
    "CAUSAL",
    "CONV_CELL_KINDS",
    "CONV_CELL_LENGTH",
    "JOINS",
    "LAYERS",
    "POOLINGS",
    "SAME",
    "VALID",
    "Activation",
    "Add",
    "Arrays",
    "BatchNorm",
    "ClippedReLU",
    "Concatenate",
    "Conv",
    "Convolution",
    "Cropping",
    "Dense",
    "DepthwiseConv",
    "Dropout",
    "Flatten",
    "GlobalPool",
    "InputPart",
    "Join",
    "KeptJoin",
    "KernelLayer",
    "Layer",
    "LayerNorm",
    "LinearLayer",
    "Multiply",
    "OnePixel",
    "Other",
    "PReLU",
    "PerChannel",
    "Pool",
    "Regularization",
    "Rescaling",
    "Reshape",
    "SeparableConv",
    "Shape",
    "Windowed",
    "ZeroPadding",
    "conv_cell",
    "input_parts",
    "layer_from_json",
]

LAYERS: dict[str, type[Layer]] = {
    layer.kind: layer
    for layer in (
        Rescaling,
        Reshape,
        Conv,
        Pool,
        GlobalPool,
        BatchNorm,
        Activation,
        Dropout,
        Flatten,
        Dense,
        Other,
        PerChannel,
        Regularization,
        DepthwiseConv,
        SeparableConv,
        LayerNorm,
        ClippedReLU,
        PReLU,
        OnePixel,
        ZeroPadding,
        Cropping,
        InputPart,
    )
}


def layer_from_json(values: Mapping[str, Any]) -> Layer:
    """The layer that `Layer.to_json` wrote.

    Raises:
        KeyError: there is no such kind of layer.
    """
    settings = dict(values)
    return LAYERS[settings.pop("kind")](**settings)
