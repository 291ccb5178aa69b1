"""TensorFlow without the half of its import that no training step uses."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from typing import Any

OPTIONAL = ("matplotlib", "pandas", "scipy", "sklearn")  # Keras does without them


@contextlib.contextmanager
def without_optional() -> Iterator[None]:
    """Let imports of optional packages fail, as if they were not installed."""
    modules: dict[str, Any] = sys.modules
    hidden = [name for name in OPTIONAL if name not in modules]
    modules.update(dict.fromkeys(hidden))
    try:
        yield
    finally:
        for name in hidden:
            del modules[name]
