"""What ends a job although nothing is wrong with its candidate, in one line."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator

from netsurgery.datasets import DataError
from netsurgery.storage.files import UnusableFileError


@contextlib.contextmanager
def exit_with_message() -> Iterator[None]:
    """End the job with one line for wrong data, a damaged file, or what the system refuses."""
    try:
        yield
    except DataError as error:
        sys.exit(f"data: {error}")
    except UnusableFileError as error:
        sys.exit(str(error))
    except OSError as error:
        if error.errno is None:
            raise
        place = f"{error.filename}: " if error.filename else ""
        sys.exit(f"{place}{os.strerror(error.errno)}")
