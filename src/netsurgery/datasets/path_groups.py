"""What a file in the folder of a class belongs to, by its path: a patient, a plot, a session."""

from __future__ import annotations

import re
from pathlib import Path

from netsurgery.datasets.source import DataError

FOLDER = "folder"


def group_of(file: Path, class_folder: Path, setting: str | None) -> str | None:
    """The group of a file; None if there are none.

    Args:
        file: in the folder of a class, or below it.
        class_folder: the folder of the class.
        setting: `folder` for the path of the file's folder below that of its class, or a regular
            expression that is searched for in the path of the file below it: its first group, or
            all that it matches, names the file's group.

    Raises:
        DataError: the path does not match the expression, or the file lies in no subfolder.
    """
    if setting is None:
        return None
    relative = file.relative_to(class_folder)
    if setting == FOLDER:
        if relative.parent == Path():
            raise DataError(
                f"{file}: lies in the folder of its class, not in one of its group "
                f"(`group: folder`); a regular expression finds groups in names of files"
            )
        return relative.parent.as_posix()
    match = re.search(setting, relative.as_posix())
    if match is None:
        raise DataError(f"{file}: {relative.as_posix()!r} does not match `group: {setting}`")
    return match[1] if match.re.groups else match[0]
