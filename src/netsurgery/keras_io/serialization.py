"""What Keras writes of its objects: the same in every process."""

from __future__ import annotations

from typing import Any

import keras


def serialized(value: Any) -> Any:
    """A Keras object as Keras serializes it, without the ids of one process."""
    return without_addresses(keras.saving.serialize_keras_object(value))


def without_addresses(value: Any) -> Any:
    """A serialized Keras object, without the ids that differ from one process to the next."""
    if isinstance(value, dict):
        return {k: without_addresses(v) for k, v in value.items() if k != "shared_object_id"}
    if isinstance(value, list):
        return [without_addresses(v) for v in value]
    return value
