"""Network surgery: pure functions from one network to another.

`legal_mutations` lists what a network allows, `mutate_topology` gives the resulting topology,
`mutate` the resulting network. Growth keeps the network's output; removal changes it as little as
the papers' rules can or, given real samples, as little as least squares can.
"""

from __future__ import annotations

from netsurgery.surgery.mutations import (
    IllegalMutation,
    Mutation,
    is_exact,
    legal_mutations,
    mutate_topology,
    why_illegal,
    with_default_width,
)
from netsurgery.surgery.network_mutation import MutationResult, mutate
from netsurgery.surgery.operations import ECTONAS, OPERATIONS, SURGEON, Operation
from netsurgery.surgery.settings import Growth
from netsurgery.surgery.sizes import MutationSizes
from netsurgery.surgery.weight_transfer import Slots

__all__ = [
    "ECTONAS",
    "OPERATIONS",
    "SURGEON",
    "Growth",
    "IllegalMutation",
    "Mutation",
    "MutationResult",
    "MutationSizes",
    "Operation",
    "Slots",
    "is_exact",
    "legal_mutations",
    "mutate",
    "mutate_topology",
    "why_illegal",
    "with_default_width",
]
