"""Which samples test and validate: drawn at random, in whole groups, or by time; and folds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from netsurgery.datasets import label_strata
from netsurgery.datasets.source import TEST, DataError, SplitKeys
from netsurgery.storage.fractions import ceil_product
from netsurgery.storage.random_streams import random_stream

DRAWS = 200  # random choices of groups, of which the best is taken
Halves = tuple[np.ndarray, np.ndarray]  # the samples that remain, and those drawn


@dataclass(frozen=True)
class Fold:
    """One of the folds of a cross-validation: all of them test on different samples.

    Attributes:
        index: of the fold, from 0.
        count: how many folds there are.
        seed: of the division, which all folds share.
    """

    index: int
    count: int
    seed: int


@dataclass(frozen=True)
class Drawing:
    """Draws parts of a dataset.

    Attributes:
        y: (n,) class of every sample, (n, labels) of 0 and 1, or the targets.
        classes: names of the classes or labels, by which parts are stratified; None for a
            regression.
        seed: of the search.
        keys: what samples must not be torn from; None: nothing.
    """

    y: np.ndarray
    classes: Sequence[str] | None
    seed: int
    keys: SplitKeys | None = None

    def draw(self, part: str, rest: np.ndarray, fraction: float) -> Halves:
        """Draw a fraction of some samples.

        Args:
            part: that they are for.
            rest: indices of the samples to draw from.
            fraction: of them to draw; of groups and times the nearest possible.

        Raises:
            DataError: there are too few samples, groups or times.
        """
        if self.keys is not None and self.keys.spans is not None:
            return self._latest(part, rest, fraction, self.keys.spans)
        if self.keys is not None and self.keys.groups is not None:
            return self._whole_groups(part, rest, fraction, self.keys.groups)
        _check_enough(self.y[rest], self.classes, part, fraction)
        return self.draw_any(part, rest, ceil_product(fraction, len(rest)))

    def draw_any(self, part: str, rest: np.ndarray, size: int) -> Halves:
        """Draw a number of samples at random, whatever they belong to."""
        from sklearn.model_selection import train_test_split

        if self._has_labels:
            rng = random_stream(self.seed, "split", part)
            return label_strata.draw(rest, self.y[rest], size, rng)
        remaining, drawn = train_test_split(
            rest,
            test_size=size,
            random_state=int(random_stream(self.seed, "split", part).integers(2**31)),
            stratify=None if self.classes is None else self.y[rest],
        )
        return remaining, drawn

    @property
    def _has_labels(self) -> bool:
        """Whether a sample has any number of labels."""
        return self.classes is not None and self.y.ndim == 2

    def _counts(self, indices: np.ndarray) -> np.ndarray:
        """How many of some samples have each class or label."""
        if self._has_labels:
            return self.y[indices].sum(axis=0, dtype=np.int64)
        return np.bincount(self.y[indices], minlength=len(self.classes or ()))

    def fold(self, rest: np.ndarray, fold: Fold) -> Halves:
        """The samples that a fold trains on, and those that it tests on.

        Raises:
            DataError: there are fewer groups, or samples of a class, than folds; or the order of
                time allows no folds.
        """
        from sklearn import model_selection as kinds

        if self.keys is not None and self.keys.spans is not None:
            raise DataError(
                f"`folds` test on earlier samples than they train on, but these are split by time "
                f"({self.keys.name}); remove `folds`"
            )
        groups = None if self.keys is None else self.keys.groups
        groups = None if groups is None else np.unique(groups[rest], return_inverse=True)[1]
        self._check_folds(rest, groups, fold.count)
        state = int(random_stream(fold.seed, "split", "folds").integers(2**31))
        if self._has_labels and groups is None:
            rng = random_stream(fold.seed, "split", "folds")
            return label_strata.fold(rest, self.y[rest], fold.index, fold.count, rng)
        options = {"n_splits": fold.count, "shuffle": True, "random_state": state}
        if groups is None:
            kind = kinds.KFold if self.classes is None else kinds.StratifiedKFold
        else:
            stratified = self.classes is not None and not self._has_labels
            kind = kinds.StratifiedGroupKFold if stratified else kinds.GroupKFold
        divisions = kind(**options).split(rest, self.y[rest], groups)
        training, test = [*divisions][fold.index]
        self._check_known(rest[training], rest[test], TEST)
        return rest[training], rest[test]

    def _check_folds(self, rest: np.ndarray, groups: np.ndarray | None, count: int) -> None:
        if groups is not None:
            found, kind = len(np.unique(groups)), f"groups ({self.keys.name if self.keys else ''})"
        elif self.classes is not None and not self._has_labels:
            counts = self._counts(rest)
            found, kind = (
                int(counts.min()),
                f"samples of class {self.classes[int(counts.argmin())]}",
            )
        else:
            found, kind = len(rest), "samples"
        if found < count:
            raise DataError(f"{found} {kind} are too few for {count} folds")

    def _latest(self, part: str, rest: np.ndarray, fraction: float, spans: np.ndarray) -> Halves:
        """The samples that end before a time, and those that begin at it or later.

        Windows across that time are in neither.
        """
        first, last = spans[rest, 0], spans[rest, 1]
        times = np.unique(first)
        later = len(rest) - np.searchsorted(np.sort(first), times, "left")  # for each time
        earlier = np.searchsorted(np.sort(last), times, "left")
        possible = (later > 0) & (earlier > 0)
        name = self.keys.name if self.keys else ""
        if not possible.any():
            raise DataError(
                f"{len(rest)} samples cannot be divided by time ({name}) for a {part} part: none "
                f"ends before another begins"
            )
        distance = np.abs(later - fraction * len(rest))
        cut = times[np.argmin(np.where(possible, distance, np.inf))]
        remaining, drawn = rest[last < cut], rest[first >= cut]
        self._check_known(remaining, drawn, part)
        return remaining, drawn

    def _whole_groups(
        self, part: str, rest: np.ndarray, fraction: float, groups: np.ndarray
    ) -> Halves:
        """The best of many random choices of groups: of the right size, with all classes."""
        name = self.keys.name if self.keys else ""
        _, codes = np.unique(groups[rest], return_inverse=True)
        count = int(codes.max()) + 1
        if count < 2:
            raise DataError(f"{count} group ({name}) is left for a {part} part and the rest")
        table = self._by_group(rest, codes, count)
        required = () if self.classes is None or self._has_labels else self.classes
        for index, label in enumerate(required):
            if (have := int(np.count_nonzero(table[:, index]))) < 2:
                raise DataError(
                    f"class {label} is in too few groups ({name}) for a {part} part: {have} left, "
                    f"at least 2 needed"
                )
        sizes = np.bincount(codes, minlength=count).astype(float)
        rng = random_stream(self.seed, "split", part, "groups")
        chosen = _choose(sizes, table, fraction, rng)
        drawn = np.isin(codes, chosen)
        self._check_known(rest[~drawn], rest[drawn], part)
        return rest[~drawn], rest[drawn]

    def _by_group(self, rest: np.ndarray, codes: np.ndarray, count: int) -> np.ndarray:
        """Samples of each group (rows) by class or label; without these in one column."""
        if self._has_labels:
            table = np.zeros((count, len(self.classes or ())))
            np.add.at(table, codes, self.y[rest])
            return table
        labels = np.zeros(len(rest), int) if self.classes is None else self.y[rest]
        table = np.zeros((count, 1 if self.classes is None else len(self.classes)))
        np.add.at(table, (codes, labels), 1)
        return table

    def _check_known(self, remaining: np.ndarray, drawn: np.ndarray, part: str) -> None:
        """Raise a `DataError` if a part has a class that would not be learnt."""
        if self.classes is None:
            return
        lost = (self._counts(remaining) == 0) & (self._counts(drawn) > 0)
        if lost.any():
            kind, name = "label" if self._has_labels else "class", self.classes[int(lost.argmax())]
            raise DataError(
                f"split by {self.keys.name if self.keys else 'folds'}, all samples of {kind} "
                f"{name} are in the {part} part; a network cannot learn it"
            )


def _choose(
    sizes: np.ndarray, table: np.ndarray, fraction: float, rng: np.random.Generator
) -> np.ndarray:
    """Choose groups with about a fraction of the samples of every class.

    Args:
        sizes: samples of each group.
        table: samples of each group (rows) and class or label.
        fraction: to choose.
        rng: draws the choices that are compared.

    Returns:
        The numbers of the chosen groups.
    """
    total = table.sum(axis=0)
    best, lowest = np.empty(0, int), np.inf
    for _ in range(DRAWS):
        order = rng.permutation(len(table))
        reached = np.abs(np.cumsum(sizes[order])[:-1] - fraction * sizes.sum())
        chosen = order[: int(reached.argmin()) + 1]
        drawn = table[chosen].sum(axis=0)
        cost = float(np.abs(drawn - fraction * total).sum() / sizes.sum())
        cost += np.count_nonzero(drawn == 0) + 1000 * np.count_nonzero(drawn == total)
        if cost < lowest:
            best, lowest = chosen, cost
    return best


def _check_enough(y: np.ndarray, classes: Sequence[str] | None, part: str, fraction: float) -> None:
    """Raise a `DataError` if a part, or the rest, would not have a sample of every class."""
    samples = len(y)
    drawn = ceil_product(fraction, samples)
    smaller = min(drawn, samples - drawn)
    if classes is None or y.ndim == 2:
        if smaller < 1:
            raise DataError(f"{samples} samples are too few for a {part} part of {drawn}")
        return
    for name, count in zip(classes, np.bincount(y, minlength=len(classes)), strict=True):
        if count < 2:
            raise DataError(
                f"class {name} has too few samples for a {part} part: {count} left, at least 2 "
                f"needed"
            )
    if smaller < len(classes):
        raise DataError(
            f"{samples} samples are too few for a {part} part of {drawn}: with {len(classes)} "
            f"classes, it and the rest need at least {len(classes)} each"
        )
