"""The identity of a results folder, found in a store after the folder lost it."""

from __future__ import annotations

from pathlib import Path

from netsurgery.search.layout import SearchFolder
from netsurgery.storage.files import DamagedFileError
from netsurgery.tracking.runs import KIND, NAME, RESULTS, SEED, milliseconds
from netsurgery.tracking.search_history import SearchHistory
from netsurgery.tracking.store import Store


def find_identity(store: Store, results: Path, *, is_own: bool) -> str | None:
    """The identity with which a store holds searches of a results folder.

    A search is known by its name, its seed, and the millisecond in which it began. Namesakes in
    other folders may have the same settings, and so the same weights.

    Args:
        store: to look in.
        results: the folder.
        is_own: whether the store lies in the folder. Then its only identity is that of the folder,
            even if all searches began anew.

    Returns:
        The identity; None if the store has none of these searches.
    """
    began = _beginnings(results)
    found = set()
    for run in store.search_runs(f"tags.`{KIND}` = 'search'"):
        tags = run.data.tags
        if RESULTS not in tags:
            continue
        if began.get((tags.get(NAME), tags.get(SEED))) == run.info.start_time:
            return tags[RESULTS]
        found.add(tags[RESULTS])
    return found.pop() if is_own and len(found) == 1 else None


def _beginnings(results: Path) -> dict[tuple[str | None, str | None], int]:
    """When the searches of a results folder began, in Unix milliseconds, by name and seed."""
    found: dict[tuple[str | None, str | None], int] = {}
    for root in results.glob("*/seed*"):
        try:
            history = SearchHistory.read(SearchFolder(root), 0, {}, 0)
        except (FileNotFoundError, DamagedFileError):
            continue
        steps = [step for steps in history.steps.values() for step in steps]
        name, seed = root.parent.name, root.name.removeprefix("seed")
        found[name, seed] = min(milliseconds(step.began) for step in steps)
    return found
