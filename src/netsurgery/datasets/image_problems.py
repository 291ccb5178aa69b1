"""Which images of a dataset cannot be used: all of them in one message."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from netsurgery.datasets.image_decoding import UnusableImageError, read_header, read_pixels
from netsurgery.datasets.image_layout import listed
from netsurgery.datasets.source import DataError

REASONS_LISTED = 5


def all_unusable(
    path: Path, files: Iterable[Path], first: tuple[Path, UnusableImageError]
) -> DataError:
    """The error that names all images that cannot be used, after one was found.

    It reads every image to the end, so that nobody mends one image per run.

    Args:
        path: of the training images; names in it are relative to it.
        files: all images of the dataset.
        first: the image that was found, and its error.
    """
    count, problems = 0, dict([first])
    for file in files:
        count += 1
        try:
            header = read_header(file)
            read_pixels(file, header.size, 1 if header.grey else 3, header.dtype)
        except UnusableImageError as error:
            problems[file] = error
    if len(problems) == 1:
        file, problem = first
        return DataError(f"{file}: {problem.reason}; {problem.advice}")
    by_reason = defaultdict(list)
    for file, problem in sorted(problems.items()):
        name = file.relative_to(path) if file.is_relative_to(path) else file
        by_reason[problem.reason].append(name)
    lines = [f"{listed(names)}: {reason}" for reason, names in by_reason.items()]
    more = ["others for other reasons"] if len(lines) > REASONS_LISTED else []
    advice = dict.fromkeys(problem.advice for problem in problems.values())
    found = "; ".join([*lines[:REASONS_LISTED], *more, *advice])
    return DataError(f"{path}: {len(problems)} of {count} images cannot be used; {found}")
