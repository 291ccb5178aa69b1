"""Whether the subfolders of a folder of images are its classes, and what to do if they are not."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from netsurgery.datasets.image_folders import ImageFolder, printable
from netsurgery.datasets.source import (
    PARTS,
    PATH_KEYS,
    TEST,
    TRAINING,
    VALIDATION,
    DataError,
    Suggestion,
)

LISTED = 10  # names in a message
# images of formats that Pillow does not read
OTHER_FORMATS = set(
    ".heic .heif .jxl .svg .dcm .dicom .nii .nrrd .mha .exr .czi .lif .nd2 .svs .ndpi"
    " .raw .dng .cr2 .cr3 .nef .arw .orf .rw2 .raf".split()
)
TABLES = {".csv", ".tsv", ".xlsx", ".parquet"}
WORDS = (
    (TRAINING, "train(?:ing)?|trn"),
    (TEST, "test(?:ing)?|tst"),
    (VALIDATION, "val(?:id(?:ation)?)?|dev|eval(?:uation)?|holdout"),
)
BEFORE, AFTER = "(?:images?|imgs?|data)?", r"(?:set|data(?:set)?|images?|imgs?|split|samples)?\d*"


def listed(names: Iterable[object]) -> str:
    """Some names for a message, and how many more there are."""
    shown = list(map(printable, names))
    more = f" and {len(shown) - LISTED} more" if len(shown) > LISTED else ""
    return ", ".join(shown[:LISTED]) + more


def part_of(name: str) -> str | None:
    """The part of a dataset that a folder is named after, such as `Train` or `test_set`."""
    plain = re.sub(r"[ _.-]", "", name.lower())
    for part, words in WORDS:
        if re.fullmatch(f"{BEFORE}(?:{words}){AFTER}", plain):
            return part
    return None


def parts_among(names: Iterable[str]) -> dict[str, str]:
    """The name of each part, if folders with these names are parts of a dataset, not classes.

    One of them may be a class, such as `train` among vehicles; two are not.
    """
    known = {name: part_of(name) for name in names}
    found = {part: name for name, part in known.items()}
    parts = {part: found[part] for part in PARTS if part in found}
    several = TRAINING in parts and len(parts) > 1
    return parts if several or None not in known.values() else {}


def check_parts(folders: Mapping[str, ImageFolder]) -> None:
    """Check the folders of all parts of a dataset.

    Raises:
        DataError: a part's subfolders are not classes, or not those of the training part.
    """
    training = folders[TRAINING]
    places = {part: folder.path.resolve() for part, folder in folders.items()}
    for part, folder in folders.items():
        above = [other for other, place in places.items() if place in places[part].parents]
        same = [other for other, place in places.items() if place == places[part] and other != part]
        if same:
            raise DataError(f"{folder.path}: is the folder of the {part} and the {same[0]} part")
        if above:
            raise DataError(
                f"{folder.path}: is the folder of the {part} part, but lies in that of the "
                f"{above[0]} part, {folders[above[0]].path}; move it out of it"
            )
    for folder in folders.values():
        _check_classes(folder)
    _check_several_classes(training)
    for folder in folders.values():
        unknown = [name for name in folder.images if name not in training.images]
        if unknown:
            where, verb = folder.path / unknown[0], "is not a class"
            if len(unknown) > 1:
                where, verb = folder.path, f"{listed(unknown)} are not classes"
            raise DataError(f"{where}: {verb} of {training.path} ({listed(training.images)})")


def _check_classes(found: ImageFolder) -> None:
    """Check that the subfolders of a folder are classes, each with images.

    Raises:
        DataError: they are not; the message says what to do.
    """
    path, images = found.path, found.images
    if not images:
        raise DataError(f"{path}: {_without_classes(found)}")
    if unprintable := [name for name in images if printable(name) != name]:
        raise DataError(f"{path}: the names of classes must be UTF-8; rename {listed(unprintable)}")
    _check_parts(path, [name for name, files in images.items() if files])
    for name in images:
        inner = _subfolders(found, name)
        if len(images) == 1:
            _check_parts(path / name, inner)
        elif len(parts := parts_among(inner)) > 1:
            raise DataError(
                f"{path / name}: its subfolders {listed(parts.values())} are parts of a dataset; "
                f"put them above the classes, such as {parts[TRAINING]}/{name}"
            )
    _check_formats(found)
    if empty := [name for name, files in images.items() if not files]:
        where, them = (path / empty[0], "the folder") if len(empty) == 1 else (path, "the folders")
        which = "" if len(empty) == 1 else f"the folders {listed(empty)} "
        verb = "contains" if len(empty) == 1 else "contain"
        raise DataError(
            f"{where}: {which}{verb} no images{_instead(found, empty)}; add some or remove {them}"
        )


def _check_several_classes(found: ImageFolder) -> None:
    """Check that there is more than one class.

    Raises:
        DataError: there is one; the message says where the classes may be.
    """
    if len(found.images) > 1:
        return
    (name,) = found.images
    inner, hint = _subfolders(found, name), ""
    suggestions: list[Suggestion] = []
    if len(inner) > 1:
        hint = f"; if {listed(inner)} are the classes, set `path: {found.path / name}`"
        suggestions = [Suggestion("path", str(found.path / name), "its subfolders are the classes")]
    raise DataError(
        f"{found.path}: all samples are of one class ({name}); at least two classes are needed"
        f"{hint}",
        *suggestions,
    )


def _subfolders(found: ImageFolder, name: str) -> list[str]:
    """The folders in the folder of a class that contain its images."""
    relative = [file.relative_to(found.path / name) for file in found.images[name]]
    return sorted({file.parts[0] for file in relative if len(file.parts) > 1})


def _check_parts(path: Path, names: list[str]) -> None:
    """Raise a `DataError` if subfolders with these names are parts of a dataset."""
    if not (parts := parts_among(names)):
        return
    keys = {part: key for key, part in PATH_KEYS.items()}
    settings = " and ".join(f"`{keys[part]}: {path / name}`" for part, name in parts.items())
    raise DataError(
        f"{path}: its subfolders {listed(parts.values())} are parts of a dataset, not classes; set "
        f"{settings}, each with a subfolder per class",
        *(Suggestion(keys[part], str(path / name), "by its name") for part, name in parts.items()),
    )


def _without_classes(found: ImageFolder) -> str:
    """What to do about a folder without subfolders."""
    if not found.outside:
        return "has no subfolders; expected one per class"
    table = next(
        filter(_is_table, (*found.others, *sorted(found.path.resolve().parent.glob("*.*")))), None
    )
    count = f"has {len(found.outside)} images but no subfolders"
    if table:
        return f"{count}; if {table.name} holds their labels, set `labels: {table}`"
    return (
        f"{count}; move each image to a subfolder named after its class, or set `labels` to a "
        f"table with a row per image"
    )


def _is_table(path: Path) -> bool:
    return path.suffix.lower() in TABLES


def _instead(found: ImageFolder, classes: list[str]) -> str:
    """What the folders of classes hold instead of images."""
    places = {found.path / name for name in classes}
    suffixes = Counter(
        file.suffix or "files without a suffix"
        for file in found.others
        if not places.isdisjoint(file.parents)
    )
    kinds = [f"{count} {suffix}" for suffix, count in suffixes.most_common()]
    return f" (but {listed(kinds)})" if kinds else ""


def _check_formats(found: ImageFolder) -> None:
    """Raise a `DataError` if images of formats that cannot be read have no copy in another."""
    copies = {file.with_suffix("") for file in found.files}
    lost = [
        file
        for file in found.others
        if file.suffix.lower() in OTHER_FORMATS and file.with_suffix("") not in copies
    ]
    if lost:
        kinds = ", ".join(sorted({file.suffix.lower() for file in lost}))
        raise DataError(
            f"{found.path}: {len(lost)} images have a format that cannot be read ({kinds}), such "
            f"as {lost[0].relative_to(found.path)}; convert them to PNG or JPEG"
        )
