"""Hashes as parameters: a job reruns when what they are taken of changes."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from netsurgery.analysis import runs
from netsurgery.config.model import Config

PACKAGE = Path(__file__).parents[1]


def code_hash(*patterns: str) -> str:
    """Hash modules of this package, for studies that measure the code itself.

    Args:
        patterns: Glob patterns, relative to the package.

    Returns:
        A SHA-256 in hexadecimal digits.

    Raises:
        FileNotFoundError: A pattern matches no module.
    """
    files = []
    for pattern in patterns:
        matches = sorted(PACKAGE.glob(pattern))
        if not matches:
            raise FileNotFoundError(f"{PACKAGE}: no module matches {pattern!r}")
        files += matches
    return hashlib.sha256(b"".join(file.read_bytes() for file in sorted(files))).hexdigest()


def listing_hash(config: Config) -> str:
    """Hash what `searches.json` lists: another configuration makes another report."""
    listing = json.dumps(runs.listing(config), sort_keys=True)
    return hashlib.sha256(listing.encode()).hexdigest()
