"""Activations in numpy by Keras's names, and their properties that surgery relies on."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

NEGATIVE_SLOPE = 0.2  # of Keras's leaky_relu


def _softmax(x: np.ndarray) -> np.ndarray:
    exponentials = np.exp(x - x.max(axis=-1, keepdims=True))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return 0.5 * (1 + np.tanh(x / 2))  # never overflows


def _softplus(x: np.ndarray) -> np.ndarray:
    return np.logaddexp(x, 0)


def _elu(x: np.ndarray) -> np.ndarray:
    return np.where(x > 0, x, np.expm1(np.minimum(x, 0)))


def _log_softmax(x: np.ndarray) -> np.ndarray:
    shifted = x - x.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def _gelu(x: np.ndarray) -> np.ndarray:
    from scipy.special import erf  # takes longer to import than everything else here

    return 0.5 * x * (1 + erf(x / np.sqrt(2)).astype(x.dtype))


ACTIVATIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "linear": lambda x: x,
    "relu": lambda x: np.maximum(x, 0),
    "relu6": lambda x: np.clip(x, 0, 6),
    "leaky_relu": lambda x: np.where(x > 0, x, NEGATIVE_SLOPE * x),
    "elu": _elu,
    "celu": _elu,  # the same with Keras's alpha of 1
    "selu": lambda x: 1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * _elu(x)),
    "gelu": _gelu,
    "silu": lambda x: x * _sigmoid(x),
    "mish": lambda x: x * np.tanh(_softplus(x)),
    "softplus": _softplus,
    "softsign": lambda x: x / (1 + np.abs(x)),
    "exponential": np.exp,
    "sigmoid": _sigmoid,
    "hard_sigmoid": lambda x: np.clip(x / 6 + 0.5, 0, 1),
    "hard_silu": lambda x: x * np.clip(x / 6 + 0.5, 0, 1),
    "hard_tanh": lambda x: np.clip(x, -1, 1),
    "hard_shrink": lambda x: np.where(np.abs(x) > 0.5, x, 0),
    "soft_shrink": lambda x: x - np.clip(x, -0.5, 0.5),
    "tanh_shrink": lambda x: x - np.tanh(x),
    "log_sigmoid": lambda x: -_softplus(-x),
    "sparse_plus": lambda x: np.where(x < 1, np.square(np.maximum(x + 1, 0)) / 4, x),
    "sparse_sigmoid": lambda x: np.clip((x + 1) / 2, 0, 1),
    "squareplus": lambda x: (x + np.sqrt(np.square(x) + 4)) / 2,
    "tanh": np.tanh,
    "softmax": _softmax,
    "log_softmax": _log_softmax,
}

# what they give for a channel depends on all channels
ACROSS_CHANNELS = {"softmax", "log_softmax"}

# never negative: a relu after them changes nothing
NON_NEGATIVE = {
    "relu",
    "relu6",
    "softplus",
    "squareplus",
    "sparse_plus",
    "exponential",
    "sigmoid",
    "hard_sigmoid",
    "sparse_sigmoid",
    "softmax",
}

# Lipschitz constants: how much an activation can enlarge a difference between two inputs
LIPSCHITZ = {
    "linear": 1.0,
    "relu": 1.0,
    "relu6": 1.0,
    "leaky_relu": 1.0,
    "elu": 1.0,
    "celu": 1.0,
    "selu": 1.7580993408473768,  # scale times alpha
    "gelu": 1.13,
    "silu": 1.1,
    "mish": 1.09,
    "softplus": 1.0,
    "softsign": 1.0,
    "exponential": float("inf"),
    "sigmoid": 0.25,
    "hard_sigmoid": 1 / 6,
    "hard_silu": 1.5,
    "hard_tanh": 1.0,
    "hard_shrink": float("inf"),  # it jumps
    "soft_shrink": 1.0,
    "tanh_shrink": 1.0,
    "log_sigmoid": 1.0,
    "sparse_plus": 1.0,
    "sparse_sigmoid": 0.5,
    "squareplus": 1.0,
    "tanh": 1.0,
    "softmax": 1.0,
    "log_softmax": float("inf"),  # the square root of the number of channels
}


def apply(function: str, x: np.ndarray, negative_slope: float = NEGATIVE_SLOPE) -> np.ndarray:
    """Apply an activation to x, in the precision of x.

    Raises:
        ValueError: numpy inference does not support the activation.
    """
    if function not in ACTIVATIONS:
        raise ValueError(f"numpy inference does not support the activation {function}")
    if function == "leaky_relu":
        return np.where(x > 0, x, np.asarray(negative_slope, x.dtype) * x)
    return ACTIVATIONS[function](x)
