"""Keras's classes of layers, by the kind of layer that surgery knows them as."""

from __future__ import annotations

import keras

from netsurgery.networks.layers import Conv, Dense, DepthwiseConv, Layer, SeparableConv

# surgery's images have their channels last, whatever keras.json says
LAST = {"data_format": "channels_last"}
# by the kind of layer, or of pooling: for a series and for an image
CONVOLUTIONS: dict[type[Layer], tuple[type[keras.Layer], ...]] = {
    Conv: (keras.layers.Conv1D, keras.layers.Conv2D),
    DepthwiseConv: (keras.layers.DepthwiseConv1D, keras.layers.DepthwiseConv2D),
    SeparableConv: (keras.layers.SeparableConv1D, keras.layers.SeparableConv2D),
}
# by the kind of layer: the settings that hold regularizers of its kernels
KERNEL_REGULARIZERS: dict[type[Layer], tuple[str, ...]] = {
    Conv: ("kernel_regularizer",),
    DepthwiseConv: ("depthwise_regularizer",),
    SeparableConv: ("depthwise_regularizer", "pointwise_regularizer"),
    Dense: ("kernel_regularizer",),
}
PADDINGS = (keras.layers.ZeroPadding1D, keras.layers.ZeroPadding2D)
CROPPINGS = (keras.layers.Cropping1D, keras.layers.Cropping2D)
POOLS = {
    "average": (keras.layers.AveragePooling1D, keras.layers.AveragePooling2D),
    "max": (keras.layers.MaxPooling1D, keras.layers.MaxPooling2D),
}
GLOBAL_POOLS = {
    "average": (keras.layers.GlobalAveragePooling1D, keras.layers.GlobalAveragePooling2D),
    "max": (keras.layers.GlobalMaxPooling1D, keras.layers.GlobalMaxPooling2D),
}
