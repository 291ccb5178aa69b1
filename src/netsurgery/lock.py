"""One run at a time on a results folder, or several that keep to a search each."""

from __future__ import annotations

import fcntl
from pathlib import Path


class Busy(Exception):  # noqa: N818 - it reads as what it says
    """Another run holds the folder; the message says what to do."""


class ResultsLock:
    """Held from its making until its process ends, however that ends: nothing is left to clean up.

    Args:
        results: the folder.
        shared: with others that share it.

    Raises:
        Busy: another run holds the folder.
    """

    def __init__(self, results: Path, *, shared: bool = False) -> None:
        results.mkdir(parents=True, exist_ok=True)
        self.file = (results / ".lock").open("w")
        try:
            fcntl.flock(self.file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except OSError:
            raise Busy(
                f"{results}: another run is writing here; let it end, or choose another folder "
                f"with --config results=FOLDER"
            ) from None
