"""Hashes as parameters: a job reruns when what they are taken of changes."""

from __future__ import annotations

import hashlib
import json

from netsurgery.analysis import runs
from netsurgery.config.model import Config


def listing_hash(config: Config) -> str:
    """Hash what `searches.json` lists: another configuration makes another report."""
    listing = json.dumps(runs.listing(config), sort_keys=True)
    return hashlib.sha256(listing.encode()).hexdigest()
