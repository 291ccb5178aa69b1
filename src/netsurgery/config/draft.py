"""A configuration for a file or folder that a user names, from what its readers say of it.

Nothing is guessed here. A dataset is opened with the settings so far; what its refusal or its data
suggest is added, with the reason, until it opens and nothing more is suggested.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from netsurgery import datasets
from netsurgery.config.dataset_section import load_datasets
from netsurgery.config.files import SCHEMA
from netsurgery.config.schema import read_schema
from netsurgery.datasets import (
    file_guess,
    image_labels,
    recognition,
    series_guess,
    target_guess,
)
from netsurgery.datasets.row_files import FileNames
from netsurgery.datasets.source import DataError, Suggestion
from netsurgery.datasets.table_files import KINDS
from netsurgery.datasets.table_images import IMAGES
from netsurgery.datasets.target_guess import INTEGER

ATTEMPTS = 25  # settings that a dataset may need
LISTS = {"dates": [], "drop": [], "categorical": [], "na_values": ["?"]}  # and their defaults
TABLES = ("csv", "excel", "parquet")
NAME = "draft"
T = TypeVar("T")


@dataclass
class Draft:
    """The settings of a dataset, and why each is there.

    Attributes:
        settings: of the dataset.
        reasons: of each setting; for a list, by value.
        data: description of the prepared dataset.
    """

    settings: dict[str, Any] = field(default_factory=dict)
    reasons: dict[str, list[str]] = field(default_factory=dict)
    data: dict[str, Any] = field(default_factory=dict)

    def take(self, suggestion: Suggestion) -> bool:
        """Add a suggestion; whether it changes anything."""
        key, value = suggestion.key, suggestion.value
        if key in LISTS:
            known = self.settings.get(key, LISTS[key])
            new = [each for each in value if each not in known]
            if not new:
                return False
            self.settings[key] = [*known, *new]
            named = ", ".join(map(str, new))
            self.reasons.setdefault(key, []).append(f"{named}: {suggestion.why}")
            return True
        if self.settings.get(key) == value:
            return False
        self.settings[key] = value
        self.reasons[key] = [suggestion.why] if suggestion.why else []
        return True

    def take_all(self, suggestions: Iterable[Suggestion]) -> bool:
        """Add suggestions; whether any changes anything."""
        return sum(map(self.take, suggestions)) > 0

    def complete(self) -> dict[str, Any]:
        """The settings with the defaults of the schema.

        Raises:
            ConfigError: The path cannot be used.
        """
        _, entries = read_schema(SCHEMA)
        found = {"target": 0, **self.settings} if self.is_table else self.settings
        given = {"datasets": {NAME: found}, "searches": {}}
        return load_datasets(given, entries["datasets"])[NAME].settings

    @property
    def is_table(self) -> bool:
        """Whether the dataset is a table, which has a target."""
        return self.settings["source"] in TABLES


def dataset_draft(path: Path, targets: Sequence[str], folder: Path) -> Draft:
    """The settings that read a user's file or folder.

    Args:
        path: Of the file or folder.
        targets: The columns of a table to predict; none: they are guessed.
        folder: For the prepared dataset.

    Raises:
        DataError: It cannot be read, or nothing in it can be predicted.
        ConfigError: The path cannot be used.
    """
    draft = Draft()
    draft.take_all(recognition.recognize(path))
    if draft.is_table:
        _guess_table(draft, targets)
    elif "labels" in draft.settings:
        table = Draft()
        table.take_all(recognition.recognize(Path(draft.settings["labels"])))
        _guess_labels(draft, table, targets)
    elif len(targets) == 1 and draft.settings["source"] == "series":
        draft.take(Suggestion("target", targets[0], "as you say"))
    elif targets:
        raise DataError(f"{path}: is no table, so it has no column {targets[0]!r} (see --target)")
    for _ in range(ATTEMPTS):
        _follow(draft, lambda settings: datasets.prepare(NAME, settings, folder))
        draft.data = datasets.describe(folder)
        suggested = [Suggestion(**each) for each in draft.data["suggestions"]]
        columns = {column["name"] for column in draft.data["columns"]}
        dropped = {name for s in suggested if s.key == "drop" for name in s.value}
        if columns <= dropped:  # better a doubtful column than none
            suggested = [s for s in suggested if s.key != "drop"]
        if not draft.take_all(suggested):
            break
    return draft


def _guess_table(draft: Draft, targets: Sequence[str]) -> None:
    """Add what a table holds: rows, rows with files, labels of images, or series.

    Raises:
        DataError: It cannot be read, or nothing in it can be predicted.
    """
    file = Path(draft.settings["path"])
    files = _follow(draft, lambda settings: file_guess.guess(file, settings))
    found = {each.key: each.value for each in files}
    series: list[Suggestion] = []
    if not files:
        series = _follow(draft, lambda settings: series_guess.guess(file, settings, targets))
    if series and draft.settings.keys() <= series_guess.KEYS:
        draft.take_all(series)
        return
    if IMAGES.key in found and not targets:
        column = found[IMAGES.column_key]
        if _follow(draft, lambda given: target_guess.labels(file, _without(given, [column]))):
            table = Draft(dict(draft.settings), dict(draft.reasons))
            draft.settings, draft.reasons = {}, {}
            why = "the table has nothing but labels of images"
            draft.take(Suggestion("source", "image_folder", why))
            draft.take(Suggestion("path", found[IMAGES.key], "the folder of the images"))
            draft.take(Suggestion("labels", str(file), "its rows name the images"))
            _guess_labels(draft, table, targets)
            return
    draft.take_all(files)
    columns = [found[kind.column_key] for kind in KINDS if kind.key in found]

    def guess(settings: Mapping[str, Any]) -> list[Suggestion]:
        return target_guess.guess(file, _without(settings, columns), targets)

    draft.take_all(_follow(draft, guess))


def _guess_labels(draft: Draft, table: Draft, targets: Sequence[str]) -> None:
    """Add what the table of labels of a folder of images says of them.

    Args:
        draft: Of the images.
        table: Of the table, which is read with more settings than labels are.
        targets: The columns to predict; none: they are guessed.

    Raises:
        DataError: It cannot be read, or nothing in it can be predicted.
    """
    file, images = Path(draft.settings["labels"]), Path(draft.settings["path"])
    column, _ = image_labels.column_in(file, FileNames(images, IMAGES.files(images)))
    if column.isdecimal():  # there is no header
        table.settings["header"] = False

    def guess(settings: Mapping[str, Any]) -> list[Suggestion]:
        without = _without(settings, [column])
        labels = [] if targets else target_guess.labels(file, without)
        return labels or target_guess.guess(file, without, targets)

    for suggestion in _follow(table, guess):
        if suggestion.key != "drop":  # nothing but the target is read
            draft.take(suggestion)
    for key in ("delimiter", "encoding"):
        if key in table.settings:
            draft.take(Suggestion(key, table.settings[key], "; ".join(table.reasons[key])))


def _without(settings: Mapping[str, Any], columns: Sequence[str | int]) -> dict[str, Any]:
    return {**settings, "drop": [*settings["drop"], *columns]}


def takes_numbers(draft: Draft) -> bool:
    """Whether classes that are too rare are numbers, which a regression can predict as well."""
    classes = draft.data["classes"] or ()
    if not (draft.is_table and classes and all(map(INTEGER.fullmatch, classes))):
        return False
    return draft.take(
        Suggestion("task", "regression", "the target holds numbers, of which some are rare")
    )


def _follow(draft: Draft, action: Callable[[Mapping[str, Any]], T]) -> T:
    """Do something with the complete settings; follow what refusals suggest, while they do.

    Raises:
        DataError: A refusal suggests nothing new.
    """
    for _ in range(ATTEMPTS):
        try:
            return action(draft.complete())
        except DataError as error:
            if not draft.take_all(error.suggestions):
                raise
    raise DataError(f"{draft.settings['path']}: no settings were found that read it")
