"""The C library's memory: kept where it is needed again a moment later, or given back."""

from __future__ import annotations

import contextlib
import ctypes
import sys

# numbers of glibc's settings, and bytes
TRIM_THRESHOLD, TOP_PAD, MMAP_THRESHOLD = -1, -2, -3
MOST, PIECE = 2**31 - 1, 2**26


def disable_trim() -> None:
    """Have the C library keep what is freed, and ask the system for memory in large pieces.

    By default it gives large arrays back at once, and each page that it gets anew costs: a third
    of the time of a first validation. Where there is no glibc nothing is changed.
    """
    if sys.platform != "linux":
        return
    with contextlib.suppress(AttributeError):
        setting = ctypes.CDLL(None).mallopt
        for name, value in ((TRIM_THRESHOLD, MOST), (TOP_PAD, PIECE), (MMAP_THRESHOLD, MOST)):
            setting(name, value)


def trim() -> None:
    """Have the C library give what is free back to the system."""
    if sys.platform == "linux":
        with contextlib.suppress(AttributeError):
            ctypes.CDLL(None).malloc_trim(0)
