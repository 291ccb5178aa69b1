"""What tables and plots call the methods that they compare: an algorithm with its mode."""

from netsurgery.search.selection import SelectionMode

BASELINE = "baseline"
GREEDY = SelectionMode.GREEDY.value
RANDOM = SelectionMode.RANDOM.value
SURGEON = "Surgeon"
ARBOR = "Arbor"
RANDOM_WALK = "random walk"


def balanced(greediness: float) -> str:
    """ECToNAS in its balanced mode."""
    return f"alpha {greediness:g}"
