"""The limits on the size of candidates: parameters, multiplications, bytes of the model file.

A network at a limit or above may still shrink, step by step, so that a search always has a way
on. Unless the user sets a limit, an initial network may be of any size.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from netsurgery.networks import costs
from netsurgery.networks.topology import Topology

DEFAULT_MAX_PARAMETERS = 7_999_999  # that of ECToNAS


@dataclass(frozen=True)
class SizeLimits:
    """The limits that a user sets; None: not set."""

    max_parameters: int | None = None
    max_multiplications: int | None = None
    max_model_bytes: int | None = None


NO_LIMITS = SizeLimits()


class _Size(NamedTuple):
    """What a limit counts."""

    count: Callable[[Topology], int]
    unit: str
    default: int | None = None  # the limit of offspring where the user sets none


SIZES = {
    "max_parameters": _Size(
        lambda topology: topology.parameters, "parameters", DEFAULT_MAX_PARAMETERS
    ),
    "max_multiplications": _Size(costs.multiplications, "multiplications per sample"),
    "max_model_bytes": _Size(costs.model_bytes, "bytes of weights"),
}


def why_too_large(network: Topology, parent: Topology, limits: SizeLimits) -> str | None:
    """Why a network is rejected; None if it is not.

    Args:
        network: made by surgery.
        parent: the network that it was made from.
        limits: of the search.
    """
    for key, size in SIZES.items():
        limit = getattr(limits, key)
        allowed = size.default if limit is None else limit
        if allowed is None:
            continue
        found = size.count(network)
        if found >= allowed and found >= size.count(parent):
            return f"{found} {size.unit}, {allowed} or more"
    return None


def why_no_start(
    start: Topology, limits: SizeLimits, *, smallest: bool = False
) -> tuple[str, str] | None:
    """Why a search cannot start from a network: the setting, and a line; None if it can.

    Args:
        start: the network.
        limits: of the search.
        smallest: whether the samples are not known yet, and `start` is for the smallest ones.
    """
    at_least = "at least " if smallest else ""
    samples = "" if smallest else f" for samples of {'x'.join(map(str, start.input_shape))}"
    for key, size in SIZES.items():
        limit, found = getattr(limits, key), size.count(start)
        if limit is not None and found > limit:
            return key, (
                f"{limit:,} is less than the {at_least}{found:,} {size.unit} of the initial"
                f" network{samples}; raise it to {at_least}{found:,}, or start smaller"
            )
    return None
