"""The `datasets` section: the user's datasets, and the built-in ones that searches name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from netsurgery import datasets
from netsurgery.config.errors import error_at
from netsurgery.config.model import Dataset
from netsurgery.config.names import check_name
from netsurgery.config.schema import fill_defaults, validate
from netsurgery.datasets.builtin import BUILTIN_DATASETS
from netsurgery.datasets.encodings import is_encoding
from netsurgery.datasets.source import FOLDER_KEYS
from netsurgery.datasets.target_columns import SEPARATOR
from netsurgery.objectives.suggestions import suggest
from netsurgery.objectives.tasks import CLASSIFICATION, MULTILABEL, REGRESSION
from netsurgery.storage.canonical import with_whole_numbers

FOLDER_SOURCES = ("image_folder", "npy")
ARRAYS = ("npz", "npy")
EITHER = ("series",)  # files and folders


def load_datasets(
    given: Mapping[str, Any], schema: Mapping[str, Any], *, exist: bool = True
) -> dict[str, Dataset]:
    """Check and complete the datasets of a configuration.

    A built-in dataset needs no entry; settings under its name are added to its own.

    Args:
        given: The whole configuration.
        schema: The schema of one dataset.
        exist: Whether data files have to exist. Folders always have to, for their files are inputs.

    Raises:
        ConfigError: Naming the key.
    """
    own = given.get("datasets", {})
    found = {}
    for name in sorted(own.keys() | (_named_by_searches(given) & BUILTIN_DATASETS.keys())):
        check_name(["datasets"], name)
        settings = with_whole_numbers(own.get(name, {}))
        if name in BUILTIN_DATASETS and isinstance(settings, Mapping):
            if "source" in settings:
                message = "is the name of a built-in dataset; choose another name"
                raise error_at(["datasets", name], message)
            settings = {**BUILTIN_DATASETS[name], **settings}
        if isinstance(settings, Mapping) and settings.get("source") in ARRAYS:
            _check_not_series(name, settings)
        validate(settings, schema, ("datasets", name))
        properties = schema["$defs"][settings["source"]]["properties"]
        complete = fill_defaults(properties, settings)
        if "na_values" in complete:  # a number means the same as its text
            complete["na_values"] = [str(value) for value in complete["na_values"]]
        _check(name, complete, exist)
        found[name] = Dataset(name, complete)
    return found


def _check_not_series(name: str, settings: Mapping[str, Any]) -> None:
    """Raise a `ConfigError` at arrays that are said to be series, as earlier versions had it."""
    if "series" in settings:
        message = "is no key of arrays; for series write `source: series` with the same `path`"
        raise error_at(["datasets", name, "series"], message)


def _named_by_searches(given: Mapping[str, Any]) -> set[str]:
    """The datasets that searches name, in lists too."""
    chosen = [
        search["dataset"]
        for search in given["searches"].values()
        if isinstance(search, Mapping) and "dataset" in search
    ]
    return {
        str(name) for names in chosen for name in (names if isinstance(names, list) else [names])
    }


def _check_targets(name: str, settings: Mapping[str, Any]) -> None:
    """Check that the task can predict as many columns as `target` names.

    Raises:
        ConfigError: Naming the key.
    """
    target, task = settings.get("target"), datasets.task_of(settings)
    count = len(target) if isinstance(target, list) else 1
    if count > 1 and task == CLASSIFICATION:
        message = (
            f"{count} targets need `task: {MULTILABEL}`, if they are columns of 0 and 1 (or yes and"
            f" no), or `task: {REGRESSION}`, if they are numbers; a class is one column"
        )
        raise error_at(["datasets", name, "target"], message)
    if count > 1 and "horizon" in settings:
        message = f"{count} targets; a forecast is of one column, `horizon` steps of it"
        raise error_at(["datasets", name, "target"], message)
    if SEPARATOR in settings and (task != MULTILABEL or count > 1):
        message = f"divides the labels in one column; it needs `task: {MULTILABEL}` and one target"
        raise error_at(["datasets", name, SEPARATOR], message)


def _check(name: str, settings: dict[str, Any], exist: bool) -> None:
    """Check what the schema cannot: references and paths.

    Raises:
        ConfigError: Naming the key.
    """
    original = settings.get("excerpt_of", "digits")
    if original not in BUILTIN_DATASETS:
        message = f"unknown dataset {original!r}{suggest(original, BUILTIN_DATASETS)}"
        raise error_at(["datasets", name, "excerpt_of"], message)
    source = settings["source"]
    if "encoding" in settings and not is_encoding(settings["encoding"]):
        message = (
            f"Python knows no encoding {settings['encoding']!r}; common ones are utf-8, cp1252"
        )
        raise error_at(["datasets", name, "encoding"], message)
    if settings.get("thousands") == settings.get("decimal", "."):
        message = "is also the decimal sign; they must differ"
        raise error_at(["datasets", name, "thousands"], message)
    if {"group", "time"} <= settings.keys() and source != "series":
        message = "rows are split by `group` or by `time`, not by both; remove one of them"
        raise error_at(["datasets", name, "time"], message)
    if "labels" in settings:
        for key in ("validation_path", "test_path"):
            if key in settings:
                message = "remove it: `labels` are those of the images in `path`, which is split"
                raise error_at(["datasets", name, key], message)
    elif settings.get("task") in (REGRESSION, MULTILABEL) and source == "image_folder":
        message = "folders are classes; set `labels`, a table with a row per image"
        raise error_at(["datasets", name, "task"], message)
    _check_targets(name, settings)
    if settings.get("task") == "classification" and "horizon" in settings:
        message = "forecasts are numbers; remove it, or `horizon` to predict the last label"
        raise error_at(["datasets", name, "task"], message)
    for key, path in datasets.input_paths(settings).items():
        where = ["datasets", name, key]
        if set("{}") & set(str(path)):
            message = f"'{path}' has braces, which Snakemake reads as wildcards; rename it"
            raise error_at(where, message)
        is_input = key in FOLDER_KEYS or source in FOLDER_SOURCES + EITHER
        if not (path.exists() or exist or is_input):
            continue
        if not path.exists():
            message = f"'{path}' does not exist; paths are relative to the working directory"
            raise error_at(where, message)
        folder = key in FOLDER_KEYS or (source in FOLDER_SOURCES and key != "labels")
        if source not in EITHER and path.is_dir() != folder:
            found, expected = ("folder", "file") if path.is_dir() else ("file", "folder")
            reader = f"source {source} reads" if key not in FOLDER_KEYS else f"{key} are in"
            raise error_at(where, f"'{path}' is a {found}, but {reader} a {expected}")
