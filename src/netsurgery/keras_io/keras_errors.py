"""The cause of an error of Keras, in one line."""

from __future__ import annotations

import re

CAUSE = "Exception encountered: "  # what Keras's loaders wrap other errors in
COLOURS = re.compile("\x1b\\[[0-9;]*m")
MAX_LENGTH = 300


def first_line(failed: BaseException) -> str:
    """The innermost cause that an error of Keras names.

    Keras wraps an error into others, each of several lines, and puts the cause last.
    """
    text = COLOURS.sub("", str(failed)).rpartition(CAUSE)[2].strip()
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    cause = lines[0] if lines else type(failed).__name__
    return cause if len(cause) <= MAX_LENGTH else f"{cause[:MAX_LENGTH]} ..."
