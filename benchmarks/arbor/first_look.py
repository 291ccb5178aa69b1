"""What Arbor's first look predicts: rank correlations with what training then gives.

    python -m benchmarks.arbor.first_look [--images FILE.npz] [--seeds 3] [--rounds 2] [--out FILE]

In each round all growths of the trunk train and are cooled down, each with two orders of samples.
The mean of the two losses after the fall is the outcome. The best growth becomes the next trunk.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from benchmarks.arbor.common import search_of, source_of, trainer_of
from scipy.stats import spearmanr

from netsurgery import training
from netsurgery.config.model import Search
from netsurgery.jobs.in_process import InProcessTrainer
from netsurgery.search.arbor.growth import possible_growths
from netsurgery.search.arbor.judgement import loss_of, next_trunk
from netsurgery.search.arbor.planning import plan_generation, plan_training, warm_up_rates
from netsurgery.search.arbor.plans import Allowance, Part, RoundPlan
from netsurgery.search.arbor.settings import ArborSettings
from netsurgery.search.records import Record
from netsurgery.search.steps import cooled_step, recuperation_step
from netsurgery.search.trainer import initial_training
from netsurgery.search.winners import Winners
from netsurgery.storage.settings import from_settings

ORDERS = 2
ALL = 1000  # more growths than any trunk has


@dataclass(frozen=True)
class Outcome:
    """A growth: what the first look says, and the losses that follow.

    Attributes:
        growth: in words.
        gradient: the norm of the loss's gradient by the new weights.
        promise: the gradient divided by the factor by which the multiplications grow.
        parameters: of the network that it gives.
        multiplications: of that network.
        hot: validation losses at the full rate, one for each order of samples.
        cooled: those after the rate has fallen.
    """

    growth: str
    gradient: float
    promise: float
    parameters: int
    multiplications: int
    hot: list[float]
    cooled: list[float]


PREDICTORS = {
    "gradient": lambda outcome: outcome.gradient,
    "gradient / factor of multiplications": lambda outcome: outcome.promise,
    "parameters": lambda outcome: outcome.parameters,
    "multiplications": lambda outcome: outcome.multiplications,
    "loss at the full rate": lambda outcome: -np.mean(outcome.hot),
    "cooled loss, one order from the other": None,
}


def rank_correlations(outcomes: Sequence[Outcome]) -> dict[str, float]:
    """How well each predictor ranks growths: Spearman's correlation with the mean cooled loss."""
    result = [-float(np.mean(outcome.cooled)) for outcome in outcomes]
    found = {}
    for name, predictor in PREDICTORS.items():
        if predictor is None:
            first, second = zip(*(outcome.cooled for outcome in outcomes), strict=True)
            found[name] = float(spearmanr(first, second).statistic)
        else:
            found[name] = float(spearmanr(list(map(predictor, outcomes)), result).statistic)
    return found


def _round(
    trainer: InProcessTrainer, trunk: Winners, plan: RoundPlan, rate: float
) -> tuple[dict[str, list[Record]], Mapping[str, Record]]:
    """Train all growths with each order of samples: records by step, and those of the first."""
    found: dict[str, list[Record]] = {step: [] for step in plan.steps}
    for order in range(ORDERS):
        for step in plan.steps:
            latest = {name: records[-1] for name, records in found.items() if records}
            planned = plan_training(plan, step, latest, rate, trunk.batches_per_epoch)
            if order:
                planned = replace(planned, stream=f"{planned.stream}, order {order}")
            found[step].append(trainer.train(planned))
    return found, {step: records[0] for step, records in found.items()}


def rounds_of(search: Search, trainer: InProcessTrainer, rounds: int) -> list[list[Outcome]]:
    """The outcomes of all growths in each round of a search."""
    settings = from_settings(ArborSettings, search.settings)
    everything = replace(settings.rounds, candidates=ALL)
    rate, per_epoch = settings.round_learning_rate, trainer.batches_per_epoch
    start = initial_training(settings.budget.initial_epochs, per_epoch)
    history = [Winners.first(trainer.train(replace(start, rates=warm_up_rates(rate))))]
    found = []
    for _ in range(rounds):
        trunk, allowed = history[-1], Allowance(Part.ROUND)
        growths = possible_growths(trunk, allowed, settings.rounds.growth)
        looks = trainer.look(trunk.models[0], growths)
        plan = plan_generation(history, looks, allowed, everything)
        assert isinstance(plan, RoundPlan)
        records, first = _round(trainer, trunk, plan, rate)
        by_mutation = {look.mutation: look for look in looks}
        before = trunk.records[0].costs.multiplications
        outcomes = []
        for child in plan.offspring:
            look = by_mutation[child.mutation]
            outcomes.append(
                Outcome(
                    growth=f"{child.mutation.operation} {child.mutation.position}",
                    gradient=float(look.gradient or 0),
                    promise=look.promise(before),
                    parameters=look.parameters,
                    multiplications=look.multiplications,
                    hot=list(map(loss_of, records[recuperation_step(child.candidate)])),
                    cooled=list(map(loss_of, records[cooled_step(child.candidate)])),
                )
            )
        found.append(outcomes)
        history.append(next_trunk(plan, first, trunk, settings.judgement.price))
    return found


def table(rounds: Sequence[Sequence[Outcome]]) -> str:
    """Mean rank correlations, and their range, over all trunks."""
    each = [rank_correlations(outcomes) for outcomes in rounds]
    rows = ["| predictor | rank correlation with the outcome | range |", "|---|---:|---:|"]
    for name in PREDICTORS:
        values = [found[name] for found in each]
        rows.append(f"| {name} | {np.mean(values):.2f} | {min(values):.2f} to {max(values):.2f} |")
    return "\n".join(rows)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a line for each growth, and the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--images", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--out", type=Path, help="a file for the outcomes, as JSON")
    given = parser.parse_args(arguments)
    source = source_of(given.images)
    search = search_of({"max_parameters": 50_000}, source)
    found: list[list[Outcome]] = []
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(given.seeds):
            trainer = trainer_of(search, source, seed, Path(folder))
            for number, outcomes in enumerate(rounds_of(search, trainer, given.rounds)):
                found.append(outcomes)
                for outcome in sorted(outcomes, key=lambda each: np.mean(each.cooled)):
                    print(seed, number, outcome, flush=True)
    if given.out:
        given.out.write_text(json.dumps([[asdict(each) for each in one] for one in found]))
    print(table(found))


if __name__ == "__main__":
    training.use_threads()
    main()
