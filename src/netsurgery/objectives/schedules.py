"""Learning rates over training: a function of the position in it and of its length alone.

A setting is a name or a mapping of one name to arguments, as of optimizers: `cosine`, or
`{cosine: {warm_up: 0.1}}`. The position is the number of batches that the weights have trained,
which their record holds. So training that is split into steps, resumed or done elsewhere has the
same rate at the same batch.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import ClassVar

import numpy as np

from netsurgery.objectives.keras_catalog import Setting, split_setting
from netsurgery.objectives.suggestions import suggest

CONSTANT = "constant"
LINEAR, COSINE = "linear", "cosine"
SHAPES = (LINEAR, COSINE)


def _risen(part: np.ndarray, shape: str) -> np.ndarray:
    """From 0 to 1 as `part` goes from 0 to 1, and as before and after."""
    part = np.clip(part, 0.0, 1.0)
    return (1 - np.cos(np.pi * part)) / 2 if shape == COSINE else part


@dataclass(frozen=True)
class Schedule:
    """A learning rate over training, in terms of the highest one."""

    name: ClassVar[str]

    def factors(self, x: np.ndarray) -> np.ndarray:
        """What the rate is multiplied by, at positions from 0 to 1."""
        raise NotImplementedError

    def check(self) -> None:
        """Check the arguments.

        Raises:
            ValueError: Naming the argument.
        """
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, float | int) and not 0 <= value <= 1:
                raise ValueError(f"{field.name} of {self.name} is {value!r}; it must be 0 to 1")


@dataclass(frozen=True)
class Constant(Schedule):
    """The same rate throughout."""

    name = CONSTANT

    def factors(self, x: np.ndarray) -> np.ndarray:
        """Ones."""
        return np.ones_like(x)


@dataclass(frozen=True)
class _Falling(Schedule):
    """A straight rise, and a fall over the last part of training.

    Attributes:
        warm_up: the share of training in which the rate rises from 0.
        final: the rate at the end, as a share of the highest.
    """

    warm_up: float = 0.0
    final: float = 0.0
    shape: ClassVar[str] = LINEAR

    @property
    def falls_over(self) -> float:
        """The share of training in which the rate falls: all that follows the rise."""
        return 1 - self.warm_up

    def factors(self, x: np.ndarray) -> np.ndarray:
        """See `Schedule.factors`."""
        rise = _risen(x / self.warm_up, LINEAR) if self.warm_up else np.ones_like(x)
        length = self.falls_over
        fallen = _risen((x - 1 + length) / length, self.shape) if length else np.zeros_like(x)
        return rise * (1 - (1 - self.final) * fallen)


@dataclass(frozen=True)
class Cosine(_Falling):
    """Half a cosine down, perhaps after a rise."""

    name = COSINE
    shape = COSINE


@dataclass(frozen=True)
class OneCycle(_Falling):
    """Straight up and straight down."""

    name = "one_cycle"
    warm_up: float = 0.25


@dataclass(frozen=True)
class WarmUpStableDecay(_Falling):
    """Straight up, constant, and straight down over the last `decay` of training."""

    name = "warmup_stable_decay"
    warm_up: float = 0.05
    decay: float = 0.3

    @property
    def falls_over(self) -> float:
        """As it is set."""
        return self.decay

    def check(self) -> None:
        """See `Schedule.check`."""
        super().check()
        if self.warm_up + self.decay > 1:
            together = f"{self.warm_up!r} and {self.decay!r}"
            raise ValueError(f"warm_up and decay of {self.name} are {together}; at most 1 together")


@dataclass(frozen=True)
class Steps(Schedule):
    """Times `factor` at each of the positions `at`, which are shares of training."""

    name = "steps"
    at: tuple[float, ...] = (0.5, 0.75)
    factor: float = 0.1

    def check(self) -> None:
        """See `Schedule.check`."""
        super().check()
        rises = list(self.at) == sorted(set(self.at))
        if not rises or not all(0 < share < 1 for share in self.at):
            raise ValueError(f"at of {self.name} is {list(self.at)}; it must rise between 0 and 1")

    def factors(self, x: np.ndarray) -> np.ndarray:
        """See `Schedule.factors`."""
        return np.power(float(self.factor), np.searchsorted(self.at, x, side="right"))


SCHEDULES: dict[str, type[Schedule]] = {
    each.name: each for each in (Constant, Cosine, OneCycle, WarmUpStableDecay, Steps)
}


def read_schedule(setting: Setting) -> Schedule:
    """Read a setting.

    Args:
        setting: A name, or a mapping of one name to arguments.

    Raises:
        ValueError: What is wrong, and what is allowed.
    """
    name, arguments = split_setting(setting)
    if name not in SCHEDULES:
        raise ValueError(f"unknown schedule {name!r}{suggest(name, SCHEDULES)}")
    defaults = {field.name: field.default for field in fields(SCHEDULES[name])}
    for key, value in arguments.items():
        if key not in defaults:
            raise ValueError(f"{name} has no argument {key!r}{suggest(key, defaults)}")
        several = isinstance(defaults[key], tuple)
        if not all(map(_is_number, value if several and isinstance(value, list) else [value])):
            kind = "a list of numbers" if several else "a number"
            raise ValueError(f"{key} of {name} is {value!r}; it must be {kind}")
        if several:
            arguments[key] = tuple(value) if isinstance(value, list) else (value,)
    schedule = SCHEDULES[name](**arguments)
    schedule.check()
    return schedule


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def without_defaults(setting: Setting) -> Setting:
    """A valid setting without arguments that are as they are by default."""
    name, arguments = split_setting(setting)
    plain, given = SCHEDULES[name](), read_schedule(setting)
    kept = {k: v for k, v in arguments.items() if getattr(given, k) != getattr(plain, k)}
    return {name: kept} if kept else name


def rates(
    schedule: Schedule, peak: float, position: int, count: int, total: float | None
) -> np.ndarray:
    """The learning rates of some batches in a row.

    A batch has the rate at its middle, so that a rise does not begin with nothing nor a fall end
    with it. After the end of training the rate stays as it was there.

    Args:
        schedule: of the rates.
        peak: the highest rate.
        position: batches that the weights have trained before.
        count: of the batches.
        total: batches of the whole training; None if the schedule is constant.

    Returns:
        float32 (count,).
    """
    middles = position + np.arange(count) + 0.5
    x = np.clip(middles / total, 0.0, 1.0) if total else np.ones(count)
    return (peak * schedule.factors(x)).astype(np.float32)
