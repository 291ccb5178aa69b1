"""Configurations of Keras objects without the Python objects that Keras cannot serialize."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any


@contextlib.contextmanager
def without(owner: Any, neutral: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Replace attributes of an object for a while; gives their values.

    `get_config` serializes whatever an object holds, which fails for functions and classes of the
    user. With neutral values in their place it gives the other settings.

    Args:
        owner: the object; its class does not notice.
        neutral: the values in the meantime, by the name of the attribute.
    """
    attributes = vars(owner)
    held = {name: attributes[name] for name in neutral}
    attributes.update(neutral)
    try:
        yield held
    finally:
        attributes.update(held)
