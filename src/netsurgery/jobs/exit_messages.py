"""One-line messages for errors that are not the fault of a candidate."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator

from netsurgery.datasets import DataError
from netsurgery.storage.files import UnusableFileError


class OneLineError(ValueError):
    """An error whose message tells the user in one line what is wrong."""


@contextlib.contextmanager
def exit_with_message() -> Iterator[None]:
    """Exit with a one-line message for invalid data, a damaged file or an error of the system."""
    try:
        yield
    except DataError as error:
        sys.exit(f"data: {error}")
    except (UnusableFileError, OneLineError) as error:
        sys.exit(str(error))
    except OSError as error:
        if error.errno is None:
            raise
        place = f"{error.filename}: " if error.filename else ""
        sys.exit(f"{place}{os.strerror(error.errno)}")
