"""TensorFlow imported without the optional packages that no training step uses."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import Any

OPTIONAL = ("matplotlib", "pandas", "scipy", "sklearn")  # Keras works without them
ENVIRONMENT = {"TF_ENABLE_ONEDNN_OPTS": "0"}  # for kernels (see `netsurgery.training.onednn`)


@contextlib.contextmanager
def without_optional_packages() -> Iterator[None]:
    """Make imports of optional packages fail, as if they were not installed."""
    os.environ.update(ENVIRONMENT)
    modules: dict[str, Any] = sys.modules
    hidden = [name for name in OPTIONAL if name not in modules]
    modules.update(dict.fromkeys(hidden))
    try:
        yield
    finally:
        for name in hidden:
            del modules[name]
