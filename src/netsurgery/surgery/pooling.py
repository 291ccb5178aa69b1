"""Carrying an inserted or removed pooling layer to the first dense layer's weights.

Pooling has no weights, and the convolutions behind it do not depend on the image's size; the first
dense layer does. Its kernel is seen as (height, width, channels, out) (ECToNAS A.2, figure 7).
"""

from __future__ import annotations

import numpy as np

from netsurgery.forward import blocks

SIZE = 2


def pooled(taps: np.ndarray) -> np.ndarray:
    """Weights for the pooled image: (H, W, c, out) to (ceil(H/2), ceil(W/2), c, out).

    A block's average times the sum of its weights is the best guess of what the block contributed.
    For max pooling no rule is good, and the sum is still the best tried: put in before the flatten
    layer of networks trained on digits (six runs) it kept 30 % of their validation accuracy, the
    weights of largest magnitude (paper) 25 %, the signed maximum (published code) 15 %.
    """
    out = taps.shape[-1]
    merged = taps.reshape(*taps.shape[:2], -1)
    return (
        blocks(merged, SIZE, 0)
        .sum(axis=(-4, -2))
        .reshape(-(-taps.shape[0] // SIZE), -(-taps.shape[1] // SIZE), taps.shape[2], out)
    )


def unpooled(taps: np.ndarray, height: int, width: int) -> np.ndarray:
    """Weights for the image before pooling: each is shared equally by the pixels of its block.

    Exact for average pooling, blocks cut by the image's edge included.
    """
    rows, columns = np.arange(height) // SIZE, np.arange(width) // SIZE
    counts = np.outer(np.bincount(rows), np.bincount(columns))
    return (taps / counts[:, :, None, None])[rows][:, columns]
