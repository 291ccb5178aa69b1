"""The command line of training steps, and of other jobs that need TensorFlow.

A command has the name of its rule. It runs in a child of the warm server or in a new process, with
the same result.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from netsurgery import training
from netsurgery.jobs import first_look, train
from netsurgery.jobs.command_line import (
    DEPENDENCIES,
    Choice,
    Command,
    Default,
    Option,
    Several,
    make_parser,
)
from netsurgery.jobs.exit_messages import exit_with_message
from netsurgery.jobs.export import export
from netsurgery.jobs.training_step import TrainingStep
from netsurgery.objectives import step_rates
from netsurgery.objectives.step_rates import StepRates
from netsurgery.processes import devices
from netsurgery.processes.client import OUT_OF_MEMORY
from netsurgery.processes.process_exit import prefer_for_oom_kill
from netsurgery.reproduction.studies import fidelity, pooling_trials
from netsurgery.search.arbor.settings import GrowthSettings
from netsurgery.search.candidates import read_record, record_path
from netsurgery.search.plans import FreshNetwork, Offspring
from netsurgery.search.records import FAILED_STATUSES, Status
from netsurgery.search.selection import SelectionMode
from netsurgery.search.size_limit import SizeLimits
from netsurgery.storage.settings import from_settings
from netsurgery.surgery.settings import SurgerySettings


def read_offspring(text: str) -> Offspring:
    """Read the entry of an offspring in a plan from JSON."""
    return Offspring.from_json(json.loads(text))


def read_fresh(text: str) -> FreshNetwork:
    """Read the entry of a network with fresh weights in a plan from JSON."""
    return FreshNetwork.from_json(json.loads(text))


def read_growth(text: str) -> GrowthSettings:
    """Read the settings of growth from JSON."""
    return from_settings(GrowthSettings, json.loads(text))


def read_limits(text: str) -> SizeLimits:
    """Read the limits on the size of networks from JSON."""
    return from_settings(SizeLimits, json.loads(text))


def read_surgery_settings(text: str) -> SurgerySettings:
    """Read the settings of surgery from JSON."""
    return from_settings(SurgerySettings, json.loads(text))


def read_rates(text: str) -> StepRates:
    """Read which learning rates a step has, from JSON."""
    return step_rates.from_json(json.loads(text))


def train_offspring(
    step: TrainingStep,
    parent: Path,
    offspring: Offspring,
    surgery: SurgerySettings,
    epochs: int,
    later_rounds: Sequence[str],
) -> None:
    """Make an offspring and train it; `later_rounds` of `epochs` follow its recuperation."""
    following = dict.fromkeys(later_rounds, epochs * step.batches_per_epoch)
    train.train_offspring(step, parent, offspring, surgery, following)


def train_round(
    step: TrainingStep,
    models: list[Path],
    mode: SelectionMode,
    epochs: int,
    later_rounds: Sequence[str],
) -> None:
    """Train the winner of contenders for this round and later ones, each of `epochs`."""
    rounds = dict.fromkeys([step.name, *later_rounds], epochs * step.batches_per_epoch)
    train.train_round(step, models, mode, rounds)


def train_branch(step: TrainingStep, models: list[Path], rank: int, batches: int) -> None:
    """Train the candidate of a rank in a try to the full step."""
    train.train_branch(step, models, rank, batches)


def train_fresh(step: TrainingStep, fresh: FreshNetwork, teacher: Sequence[Path]) -> None:
    """Train a network from fresh weights, with the model of its teacher if it has one."""
    train.train_fresh(step, fresh, teacher[0] if teacher else None)


def cool_down(step: TrainingStep, model: Path, batches: int) -> None:
    """Train a candidate further while its learning rate falls."""
    train.continue_training(step, model, read_record(model), {step.name: batches})


def finalize(step: TrainingStep, models: list[Path], mode: SelectionMode, batches: int) -> None:
    """Select, train and test the final candidate."""
    train.finalize(step, models, mode, batches)


def export_model(step: TrainingStep) -> None:
    """Write what goes with the final model."""
    export(step.data, step.samples("test"), step.output.parent, step.dependencies)


def surgery_fidelity(step: TrainingStep, model: Path, retrain: bool) -> None:
    """Measure what every operation does to a trained network."""
    train.study(step, model, partial(fidelity.measure_fidelity, retrain=retrain))


def run_pooling_trials(step: TrainingStep, model: Path) -> None:
    """Repeat ECToNAS's pooling trials with a trained network."""
    train.study(step, model, pooling_trials.run_trials)


def files_read(given: argparse.Namespace) -> list[Path]:
    """List the JSON files of what a step reads: the data, their split, and its candidates."""
    models = [*getattr(given, "models", ()), *getattr(given, "teacher", ())]
    models += [vars(given)[each] for each in ("parent", "model") if each in given]
    records = map(record_path, models)
    return [given.data / "data.json", given.split.with_suffix(".json"), *records]


COMMON: dict[str, Option] = {
    "data": Path,
    "split": Path,
    "seed": int,
    "settings": json.loads,
    "output": Path,
    "step": str,
    "dependencies": DEPENDENCIES,
    # not to be trained but recorded as failed, for this reason
    "failure": Choice(FAILED_STATUSES),
    "rates": Default(read_rates, None),
    "stream": Default(json.loads, None),
    "target": Default(json.loads, None),
    "threads": Default(int, 1),
}
ROUNDS: dict[str, Option] = {"epochs": int, "later_rounds": Several(str, at_least=0)}
COMMANDS = {
    "train_initial_network": Command(
        train.train_initial_network,
        layers=json.loads,
        start=json.loads,
        activation=str,
        epochs=json.loads,
        seconds=Default(json.loads, None),
        limits=read_limits,
    ),
    "train_offspring": Command(
        train_offspring,
        parent=Path,
        offspring=read_offspring,
        surgery=read_surgery_settings,
        **ROUNDS,
    ),
    "train_round": Command(train_round, models=Several(Path), mode=SelectionMode, **ROUNDS),
    "cool_down": Command(cool_down, model=Path, batches=int),
    "train_fresh": Command(train_fresh, fresh=read_fresh, teacher=Several(Path, at_least=0)),
    "first_look": Command(
        first_look.first_look,
        winners=Path,
        growth=read_growth,
        surgery=read_surgery_settings,
        is_needed=json.loads,
    ),
    "train_branch": Command(train_branch, models=Several(Path), rank=int, batches=int),
    "finalize": Command(finalize, models=Several(Path), mode=SelectionMode, batches=int),
    "export_model": Command(export_model),
    "surgery_fidelity": Command(surgery_fidelity, model=Path, retrain=json.loads),
    "pooling_trials": Command(run_pooling_trials, model=Path),
}
parser = make_parser("training step", COMMANDS, COMMON)


@contextlib.contextmanager
def exit_when_out_of_memory() -> Iterator[None]:
    """Exit with a code of its own when the machine or a GPU refuses memory."""
    try:
        yield
    except (MemoryError, training.ResourceExhaustedError) as error:
        print(f"out of memory: {str(error).partition(chr(10))[0]}", file=sys.stderr)
        sys.exit(OUT_OF_MEMORY)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command; TensorFlow must not have run an operation in this process."""
    given = parser.parse_args(arguments)
    command = COMMANDS[given.command]
    prefer_for_oom_kill()
    lease = devices.claim()  # noqa: F841 - held until the process ends
    training.use_threads(given.threads)
    training.disable_trim()
    with exit_with_message(), exit_when_out_of_memory():
        step = TrainingStep(
            given.data,
            given.split,
            given.seed,
            given.settings,
            given.output,
            given.step,
            Status(given.failure) if given.failure else None,
            given.dependencies.with_inputs(files_read(given)),
            given.rates,
            given.stream,
            given.target,
        )
        command.run(step, **command.values(given))
