"""When a Surgeon search is over before its epochs are (early stopping, future work in the paper).

Figure 5 of the paper shows both signs: accuracy that rises no more, and a network that goes back
and forth between very similar states.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from netsurgery.networks.layers import Dense
from netsurgery.networks.network import Topology
from netsurgery.search.surgeon.recommendation import SMALLEST_ADDITION, SMALLEST_PART, hidden_layers

State = tuple[int, ...]  # units of the hidden layers


def state_of(topology: Topology) -> State:
    """The hidden layers' units, all that a state is compared by."""
    layers = (topology.layers[position] for position in hidden_layers(topology))
    return tuple(layer.units for layer in layers if isinstance(layer, Dense))


def similar(state: State, other: State) -> bool:
    """Whether two states have as many layers, none further apart than the smallest addition."""
    return len(state) == len(other) and all(
        abs(units - others) <= max(SMALLEST_ADDITION, min(units, others) // SMALLEST_PART)
        for units, others in zip(state, other, strict=True)
    )


def unimproved(best: Sequence[float]) -> int:
    """How many decision points at the end have not beaten the best accuracy before them."""
    return len(best) - 1 - best.index(max(best))


def returns(states: Sequence[State]) -> int:
    """How often at the end the topology changed back to about a state it had left, in a row.

    Staying as it is neither counts nor ends the row; a change to something new ends it.
    """
    row = 0
    for i in range(1, len(states)):
        if states[i] == states[i - 1]:
            continue
        back = any(similar(states[i], state) for state in states[: i - 1])
        row = row + 1 if back else 0
    return row


def reason_to_stop(
    best: Sequence[float], states: Sequence[State], early_stopping: Mapping[str, int]
) -> str | None:
    """Why a search should stop now; None if it should go on.

    Args:
        best: accuracy of the best branch after the initial training and each decision point.
        states: of that branch.
        early_stopping: decision points without improvement (`patience`), returns to earlier states
            (`max_reversals`); what is missing is off.
    """
    limit = early_stopping.get("patience")
    if limit is not None and unimproved(best) >= limit:
        return f"no better for {unimproved(best)} decision points"
    limit = early_stopping.get("max_reversals")
    if limit is not None and returns(states) >= limit:
        return f"back at an earlier state {returns(states)} times in a row"
    return None
