"""One run at a time on a results folder."""

from __future__ import annotations

import fcntl
from pathlib import Path


class Refused(Exception):  # noqa: N818 - it reads as what it says
    """A folder cannot be written to; the message says why, and what to do."""


class Busy(Refused):
    """Another run holds the folder."""


class ResultsLock:
    """Held from its making until its process ends, however that ends: nothing is left to clean up.

    Raises:
        Busy: another run holds the folder.
        Refused: it cannot be made, or written to.
    """

    def __init__(self, results: Path) -> None:
        try:
            results.mkdir(parents=True, exist_ok=True)
            self.file = (results / ".lock").open("w")
        except OSError as error:
            raise Refused(f"{results}: cannot be written to ({error.strerror})") from None
        try:
            fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Busy(
                f"{results}: another run is writing here; let it end, or choose another folder "
                f"with --config results=FOLDER"
            ) from None
