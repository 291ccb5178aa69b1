"""Where the artifacts of runs and models lie on this machine.

MLflow stores absolute paths, of a run when it is created. They have to follow when the folder that
holds them moves, or when one store serves several results folders.
"""

from __future__ import annotations

import contextlib
import re
import shutil
import tempfile
from pathlib import Path
from urllib.parse import unquote

FOLDER = "mlflow-artifacts"  # the last part of every place that netsurgery chooses
LOCAL = re.compile(rf"(file://)?(/.*)?/{FOLDER}(?P<rest>/.*)?")


def relocated(place: str, root: Path) -> str | None:
    """The same place below another root.

    Args:
        place: a path or URI that a store holds.
        root: the folder for artifacts; its last part is `FOLDER`.

    Returns:
        A path; None if the place is below the root already, or if it is none that netsurgery chose,
        such as that of a server or a bucket.
    """
    found = LOCAL.fullmatch(place)
    if not found:
        return None
    new = f"{root}{unquote(found['rest'] or '') if found[1] else found['rest'] or ''}"
    return None if new == place else new


def bring(old: str, new: str) -> None:
    """Copy the artifacts of a run or model to a new place, unless it has them or they are lost.

    They are copied, not moved, because a copy of the store may use the old place. What cannot be
    copied counts as lost: the next sync logs it again.
    """
    source, target = Path(re.sub("^file://", "", old)), Path(new)
    with contextlib.suppress(OSError, shutil.Error):
        if target.exists() or not source.is_dir():
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".") as folder:
            shutil.copytree(source, Path(folder) / target.name).rename(target)
