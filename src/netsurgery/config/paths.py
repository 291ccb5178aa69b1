"""Paths of a configuration: `~` and variables in them, and the folder of results."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from netsurgery.config.errors import error_at
from netsurgery.config.starting_models import is_path
from netsurgery.datasets.source import FILE_KEYS

VARIABLE = re.compile(r"\$(?:([A-Za-z_]\w*)|\{([^}]*)\})")
LONGEST_NAME = 255  # bytes, in common file systems
OF_DATASETS = (*FILE_KEYS, "data_dir")


def expand_paths(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return a configuration with `~`, `$NAME` and `${NAME}` in its paths replaced.

    Args:
        given: The configuration as read from YAML; what is no text is left to the schema.

    Raises:
        ConfigError: A variable is not set.
    """
    expanded = dict(given)
    if "results" in given:
        expanded["results"] = _expand(given["results"], ["results"])
    if isinstance(datasets := given.get("datasets"), Mapping):
        expanded["datasets"] = {name: _of_dataset(name, each) for name, each in datasets.items()}
    if isinstance(searches := given.get("searches"), Mapping):
        expanded["searches"] = {name: _of_search(name, each) for name, each in searches.items()}
    return expanded


def _of_search(name: str, settings: Any) -> Any:
    """The settings of a search; a topology may be the path of a model, or several."""
    if not isinstance(settings, Mapping) or "topology" not in settings:
        return settings
    given, where = settings["topology"], ["searches", name, "topology"]
    if isinstance(given, list):
        found: Any = [_expand(each, where) if is_path(each) else each for each in given]
    else:
        found = _expand(given, where) if is_path(given) else given
    return {**settings, "topology": found}


def _of_dataset(name: str, settings: Any) -> Any:
    if not isinstance(settings, Mapping):
        return settings
    paths = {key: settings[key] for key in OF_DATASETS if key in settings}
    return {
        **settings,
        **{key: _expand(path, ["datasets", name, key]) for key, path in paths.items()},
    }


def _expand(path: Any, where: Iterable[Any]) -> Any:
    """Replace what a shell would, unless there is a file of just that name."""
    if not isinstance(path, str) or os.path.lexists(path):
        return path

    def value(match: re.Match[str]) -> str:
        name = match[1] or match[2]
        if name not in os.environ:
            raise error_at(where, f"'{path}': the environment variable {name} is not set")
        return os.environ[name]

    return VARIABLE.sub(value, os.path.expanduser(path))


def results_folder(path: str) -> str:
    """Return the folder of results in the one form in which Snakemake compares paths.

    Raises:
        ConfigError: It is the working directory, or holds it; or a part of it is too long.
    """
    normal = re.sub("^//", "/", os.path.normpath(path))
    for part in Path(normal).parts:
        if len(os.fsencode(part)) > LONGEST_NAME:
            message = f"'{part[:40]}...' is longer than the {LONGEST_NAME} bytes that files allow"
            raise error_at(["results"], message)
    if Path.cwd().resolve().is_relative_to(Path(normal).resolve()):
        message = f"'{path}' holds the working directory; give results a folder of their own"
        raise error_at(["results"], f"{message}, such as results")
    return normal
