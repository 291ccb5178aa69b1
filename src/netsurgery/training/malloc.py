"""Settings of the C library's allocator (glibc): keep freed memory, or return it to the system.

`mallopt` and `malloc_trim` exist in glibc alone (tested with 2.36). Other C libraries keep their
defaults, which cost time and change no result.
"""

from __future__ import annotations

import contextlib
import ctypes
import sys

# glibc's parameter numbers, and bytes
TRIM_THRESHOLD, TOP_PAD, MMAP_THRESHOLD = -1, -2, -3
MAX_BYTES, CHUNK_BYTES = 2**31 - 1, 2**26


def disable_trim() -> None:
    """Make the C library keep freed memory, and request memory in large chunks.

    By default it returns large arrays to the system at once, and the page faults of getting them
    back take a third of the time of a first validation.
    """
    if sys.platform != "linux":
        return
    with contextlib.suppress(AttributeError):
        mallopt = ctypes.CDLL(None).mallopt
        for parameter, value in (
            (TRIM_THRESHOLD, MAX_BYTES),
            (TOP_PAD, CHUNK_BYTES),
            (MMAP_THRESHOLD, MAX_BYTES),
        ):
            mallopt(parameter, value)


def trim() -> None:
    """Return the C library's free memory to the system."""
    if sys.platform == "linux":
        with contextlib.suppress(AttributeError):
            ctypes.CDLL(None).malloc_trim(0)
