"""What a JSON file of results depends on, written into the file itself.

An entry `dependencies` holds the settings that decided what the file says, digests of the code that
computed it (see `netsurgery.storage.code_stages`), and the contents of the files that it was made
from. A results folder is so a chain from the data to the last plot. It can be compared with a
configuration, and each file with those it was made from, wherever the folder is and whatever the
dates of its files.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

from netsurgery.storage.canonical import canonical_json, with_whole_numbers
from netsurgery.storage.files import DEPENDENCIES, read_json, read_with_dependencies, write_json

# entries that differ between two runs of the same search
TIMES = ("wall_seconds", "seconds", "began", "provenance", "latency", "latency_batch32")
MISSING = object()  # a setting that only one of two files has


@dataclass(frozen=True)
class Dependencies:
    """What a file depends on.

    Attributes:
        settings: The settings and planned values that decide what the file says, by name.
        code: The digest of each stage of the code that computed it.
        inputs: The content of each JSON file that it was made from, as `content_of` gives it.
    """

    settings: Mapping[str, Any] = field(default_factory=dict)
    code: Mapping[str, str] = field(default_factory=dict)
    inputs: Mapping[Path, str] = field(default_factory=dict)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Read the settings and the code from JSON values; a job adds what it reads."""
        return cls(values["settings"], values["code"])

    @classmethod
    def read(cls, path: Path) -> Self | None:
        """Read what a file depends on; None if the file does not say it.

        Raises:
            DamagedFileError: The file is damaged.
            FileNotFoundError: There is no such file.
        """
        _, found = read_with_dependencies(path)
        if found is None:
            return None
        inputs = {
            Path(os.path.normpath(path.parent / name)): sha for name, sha in found["inputs"].items()
        }
        return cls(found["settings"], found["code"], inputs)

    def with_inputs(self, paths: Iterable[Path]) -> Self:
        """Return the same with further files that a job reads."""
        if not self.code:  # made without the workflow
            return self
        return replace(self, inputs={**self.inputs, **{path: content_of(path) for path in paths}})

    def with_settings(self, **values: Any) -> Self:
        """Return the same with further settings or values that decide what a file says."""
        return replace(self, settings={**self.settings, **values})

    def write(self, path: Path, value: Mapping[str, Any]) -> None:
        """Write JSON values that depend on this (see `netsurgery.storage.files.write_json`)."""
        if not self.code:  # made without the workflow
            write_json(path, value)
            return
        inputs = {os.path.relpath(each, path.parent): sha for each, sha in self.inputs.items()}
        own = {"settings": self.settings, "code": self.code, "inputs": inputs}
        write_json(path, {**value, DEPENDENCIES: own})

    def changed_settings(self, other: Self) -> Iterator[tuple[str, Any, Any]]:
        """Yield each setting that differs: its name, the value here, and the value there."""
        yield from _differences(
            "", with_whole_numbers(self.settings), with_whole_numbers(other.settings)
        )

    def changed_code(self, other: Self) -> list[str]:
        """List the stages of the code that differ."""
        stages = self.code.keys() | other.code.keys()
        return sorted(each for each in stages if self.code.get(each) != other.code.get(each))


NO_DEPENDENCIES = Dependencies()  # of files that are made without the workflow


def content_of(path: Path) -> str:
    """Return a digest of what a JSON file says, without times and without its dependencies.

    Raises:
        DamagedFileError: The file is damaged.
        FileNotFoundError: There is no such file.
    """
    return digest(_without_times(read_json(path)))


def digest(value: Any) -> str:
    """Return the digest of JSON values that mean the same."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


def _without_times(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_times(each) for key, each in value.items() if key not in TIMES}
    if isinstance(value, list):
        return [_without_times(each) for each in value]
    return value


def _differences(name: str, here: Any, there: Any) -> Iterator[tuple[str, Any, Any]]:
    """Yield the innermost keys whose values differ."""
    if isinstance(here, Mapping) and isinstance(there, Mapping):
        for key in dict.fromkeys([*here, *there]):
            inner = f"{name}.{key}" if name else key
            yield from _differences(inner, here.get(key, MISSING), there.get(key, MISSING))
    elif here != there:
        yield name, here, there
