"""Names of searches and datasets, which become names of folders and files."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from netsurgery.config.errors import error_at

# A file system takes names of 255 bytes. The longest that a name is part of is, while it is
# written, `.NAME.seed<19 digits>.json.<7 digits>`; the text columns of MLflow hold 250 characters.
MAX_LENGTH = 200
# Snakemake takes a value that ends like this for a sign of endless recursion
REPEATED = re.compile(r"(.+?)\1{19,}$")


def check_name(where: Iterable[Any], name: str) -> None:
    """Refuse a name that files or Snakemake cannot take.

    Args:
        where: The keys that lead to it.
        name: Of a search, its lists expanded, or of a dataset.

    Raises:
        ConfigError: It is too long, or ends in many repetitions.
    """
    if len(name) > MAX_LENGTH:
        message = f"the name has {len(name)} characters; file names have room for {MAX_LENGTH}"
        raise error_at([*where, _shorten(name)], message)
    if repeated := REPEATED.search(name):
        message = f"the name ends in {repeated[1]!r} 20 times or more, which Snakemake refuses"
        raise error_at([*where, _shorten(name)], message)


def _shorten(name: str) -> str:
    return name if len(name) <= 40 else f"{name[:40]}..."
