"""Train neural networks and reshape them while they train.

The workflow is run with Snakemake. From Python, this package offers surgery on Keras models and on
networks of its own, and access to the results of searches. Names are imported when they are first
used, so that `import netsurgery` loads neither TensorFlow nor Keras.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from netsurgery.analysis.finished import FinishedSearch, finished_searches
    from netsurgery.keras_io.model_surgery import (
        LegalMutation,
        ModelMutationResult,
        apply,
        list_mutations,
    )
    from netsurgery.networks.network import Network
    from netsurgery.networks.topology import Topology
    from netsurgery.surgery import (
        Growth,
        IllegalMutation,
        Mutation,
        MutationResult,
        MutationSizes,
        legal_mutations,
        mutate,
        mutate_topology,
    )
    from netsurgery.surgery.operations import (
        ADD_BOTTLENECK_BLOCK,
        ADD_CELL,
        ADD_CHANNELS,
        ADD_CONV_CELL,
        ADD_DENSE,
        ADD_DROPOUT,
        ADD_GATE,
        ADD_RESIDUAL_BLOCK,
        ADD_UNITS,
        FLATTEN_TO_GLOBAL_POOLING,
        GLOBAL_POOLING_TO_FLATTEN,
        GROW_KERNEL,
        IDENTITY,
        JOIN_SEPARABLE,
        MAKE_PLAIN,
        MAKE_RESIDUAL,
        MERGE_CONVOLUTIONS,
        MERGE_NORMALIZATION,
        OPERATIONS,
        REMOVE_BLOCK,
        REMOVE_BRANCH,
        REMOVE_CHANNELS,
        REMOVE_CONV_CELL,
        REMOVE_DENSE,
        REMOVE_DROPOUT,
        REMOVE_GATE,
        REMOVE_UNITS,
        SEPARATE,
        SHRINK_KERNEL,
        TRUNCATE,
        Operation,
    )

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
    "TRUNCATE",
    "FinishedSearch",
    "Growth",
    "IllegalMutation",
    "LegalMutation",
    "ModelMutationResult",
    "Mutation",
    "MutationResult",
    "MutationSizes",
    "Network",
    "Operation",
    "Topology",
    "apply",
    "finished_searches",
    "legal_mutations",
    "list_mutations",
    "mutate",
    "mutate_topology",
]

_MODULES = {
    "netsurgery.analysis.finished": ("FinishedSearch", "finished_searches"),
    "netsurgery.keras_io.model_surgery": (
        "LegalMutation",
        "ModelMutationResult",
        "apply",
        "list_mutations",
    ),
    "netsurgery.networks.network": ("Network", "Topology"),
    "netsurgery.surgery.operations": (
        "ADD_BOTTLENECK_BLOCK",
        "ADD_CELL",
        "ADD_CHANNELS",
        "ADD_CONV_CELL",
        "ADD_DENSE",
        "ADD_DROPOUT",
        "ADD_GATE",
        "ADD_RESIDUAL_BLOCK",
        "ADD_UNITS",
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
        "TRUNCATE",
        "Operation",
    ),
    "netsurgery.surgery": (
        "Growth",
        "IllegalMutation",
        "Mutation",
        "MutationResult",
        "MutationSizes",
        "legal_mutations",
        "mutate",
        "mutate_topology",
    ),
}
_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used (PEP 562)."""
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_MODULE_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
