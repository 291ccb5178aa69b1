"""The limit on the trainable parameters of candidates (`max_parameters`).

A network at the limit or above may still shrink, step by step, so that a search always has a way
on. Unless the user sets a limit, an initial network may be of any size.
"""

from __future__ import annotations

from netsurgery.networks.topology import Topology

DEFAULT_LIMIT = 7_999_999  # that of ECToNAS


def why_too_large(parameters: int, before: int, limit: int | None) -> str | None:
    """Why a network with so many parameters is rejected; None if it is not.

    Args:
        parameters: of the network.
        before: parameters of its parent.
        limit: `max_parameters`; None if it is not set.
    """
    allowed = DEFAULT_LIMIT if limit is None else limit
    if parameters < max(allowed, before):
        return None
    return f"{parameters} parameters, {allowed} or more"


def why_no_start(start: Topology, limit: int | None, *, smallest: bool = False) -> str | None:
    """Why a search cannot start from a network, in one line; None if it can.

    Args:
        start: the network.
        limit: `max_parameters`; None if it is not set.
        smallest: whether the samples are not known yet, and `start` is for the smallest ones.
    """
    if limit is None or start.parameters <= limit:
        return None
    at_least = "at least " if smallest else ""
    samples = "" if smallest else f" for samples of {'x'.join(map(str, start.input_shape))}"
    return (
        f"{limit:,} is less than the {at_least}{start.parameters:,} parameters of the initial"
        f" network{samples}; raise it to {at_least}{start.parameters:,}, or start smaller"
    )
