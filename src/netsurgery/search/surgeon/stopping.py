"""Early stopping of a Surgeon search (future work in the paper).

Figure 5 of the paper shows both signs: accuracy that no longer rises, and a network that alternates
between very similar states.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from netsurgery.networks.layers import Dense
from netsurgery.networks.topology import Topology
from netsurgery.search.surgeon.analysis import hidden_layers
from netsurgery.search.surgeon.recommendation import SMALLEST_ADDITION, SMALLEST_PART

State = tuple[int, ...]  # units of the hidden layers


def state_of(topology: Topology) -> State:
    """The units of the hidden layers, by which states are compared."""
    layers = (topology.layers[position] for position in hidden_layers(topology))
    return tuple(layer.units for layer in layers if isinstance(layer, Dense))


def similar(state: State, other: State) -> bool:
    """Whether states have as many layers, of widths within the smallest addition of each other."""
    return len(state) == len(other) and all(
        abs(units - others) <= max(SMALLEST_ADDITION, min(units, others) // SMALLEST_PART)
        for units, others in zip(state, other, strict=True)
    )


def points_without_improvement(best: Sequence[float]) -> int:
    """Count the last decision points that did not beat the best accuracy before them."""
    return len(best) - 1 - best.index(max(best))


def reversals(states: Sequence[State]) -> int:
    """Count the last changes in a row that returned to a state similar to an earlier one.

    A decision point that changes nothing is ignored; a change to a new state ends the row.
    """
    count = 0
    for i in range(1, len(states)):
        if states[i] == states[i - 1]:
            continue
        returned = any(similar(states[i], state) for state in states[: i - 1])
        count = count + 1 if returned else 0
    return count


def reason_to_stop(
    best: Sequence[float], states: Sequence[State], early_stopping: Mapping[str, int]
) -> str | None:
    """Why a search should stop now; None if it should continue.

    Args:
        best: accuracy of the best branch after the initial training and each decision point.
        states: of that branch.
        early_stopping: the limits: decision points without improvement (`patience`) and returns
            to earlier states in a row (`max_reversals`); a missing limit is off.
    """
    limit = early_stopping.get("patience")
    if limit is not None and points_without_improvement(best) >= limit:
        return f"no improvement for {points_without_improvement(best)} decision points"
    limit = early_stopping.get("max_reversals")
    if limit is not None and reversals(states) >= limit:
        return f"returned to an earlier state {reversals(states)} times in a row"
    return None
