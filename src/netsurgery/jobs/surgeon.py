"""Commands of the Surgeon's decision points: read files, decide, write files. No TensorFlow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from netsurgery import datasets
from netsurgery.jobs.calibration import calibration_samples
from netsurgery.search.algorithms import read_generation
from netsurgery.search.calibration import CalibrationSamples
from netsurgery.search.candidates import read_candidate, read_record, record_path
from netsurgery.search.layout import SearchFolder
from netsurgery.search.records import Status
from netsurgery.search.surgeon import decision_point, decision_tables
from netsurgery.search.surgeon.allowance import allow_try, batches_left
from netsurgery.search.surgeon.analysis import Analysis, analyse
from netsurgery.search.surgeon.branches import analyse_branch
from netsurgery.search.surgeon.decision_point import TrainedTry
from netsurgery.search.surgeon.plans import Allowance, Continue, DecisionPlan, TryPlan, read_try
from netsurgery.search.surgeon.settings import (
    AnalysisSettings,
    DecisionSettings,
    StoppingSettings,
    SurgeonSettings,
)
from netsurgery.search.surgeon.verdict import merge
from netsurgery.storage.dependencies import NO_DEPENDENCIES, Dependencies
from netsurgery.storage.files import CHECKSUMS, checksums, read_json, write_table
from netsurgery.storage.settings import from_settings


def read_analyses(path: Path) -> dict[str, list[Analysis]]:
    """Read the analyses of branches, by candidate."""
    return {
        candidate: [Analysis.from_json(layer) for layer in layers]
        for candidate, layers in read_json(path).items()
    }


def read_tries(folder: SearchFolder, generation: int, attempt: int) -> list[TrainedTry]:
    """Read the plans and records of a decision point's tries before one."""
    plans = (read_try(folder.try_plan(generation, number)) for number in range(1, attempt))
    return [
        TrainedTry(plan, folder.records_of(plan)) for plan in plans if isinstance(plan, TryPlan)
    ]


def allowance(
    folder: SearchFolder, generation: int, attempt: int, settings: dict[str, Any]
) -> Allowance:
    """Decide whether a try is allowed: all that its plan knows of the search's end."""
    history = [folder.read_winners(number) for number in range(generation)]
    tries = read_tries(folder, generation, attempt)
    return allow_try(history, tries, from_settings(SurgeonSettings, settings))


def remaining_batches(folder: SearchFolder, generation: int, settings: dict[str, Any]) -> int:
    """What the settings leave for the winner of a search that ends at a decision point."""
    history = [folder.read_winners(number) for number in range(generation)]
    return batches_left(history, from_settings(StoppingSettings, settings))


def plan_try(
    folder: SearchFolder,
    generation: int,
    attempt: int,
    settings: dict[str, Any],
    seed: int,
    allowed: Allowance,
    dependencies: Dependencies = NO_DEPENDENCIES,
) -> None:
    """Write the plan of a try, the verdict on those before it, or the final plan."""
    decisions = [read_generation(folder.plan(number)) for number in range(1, generation)]
    needs_analyses = attempt > 1 or isinstance(allowed, Continue)
    tries = read_tries(folder, generation, attempt)
    plan = decision_point.plan_next(
        folder.read_winners(generation - 1),
        decisions,
        tries,
        read_analyses(folder.singular_values(generation)) if needs_analyses else {},
        allowed,
        from_settings(DecisionSettings, settings),
        seed,
    )
    inputs = [folder.winners(number) for number in range(generation)]
    inputs += [folder.singular_values(generation)] if needs_analyses else []
    for number, earlier in enumerate(tries, 1):
        inputs.append(folder.try_plan(generation, number))
        inputs += [folder.record(generation, step) for step in earlier.plan.steps]
    dependencies.with_inputs(inputs).write(folder.try_plan(generation, attempt), plan.to_json())


def decision_report(
    folder: SearchFolder,
    generation: int,
    settings: dict[str, Any],
    seed: int,
    dependencies: Dependencies = NO_DEPENDENCIES,
) -> None:
    """Write what a decision is based on: tables of layers and modifications, and a plot."""
    from netsurgery import plots  # drawing takes a while to import

    chosen = from_settings(DecisionSettings, settings)
    parents = folder.read_winners(generation - 1).records
    analyses = read_analyses(folder.singular_values(generation))
    plan = read_generation(folder.plan(generation))
    assert isinstance(plan, DecisionPlan)
    records = folder.records_of(plan)
    write_table(
        folder.layers(generation),
        decision_tables.LAYER_COLUMNS,
        decision_tables.layers(parents, analyses, chosen),
    )
    write_table(
        folder.recommendations(generation),
        decision_tables.RECOMMENDATION_COLUMNS,
        decision_tables.recommendations(parents, analyses, plan, records, chosen),
    )
    heading = f"{folder.root.parent.name}, seed {seed}: decision {generation}"
    figure = plots.plot_singular_values(heading, analyses, chosen.thresholds)
    plot = folder.generation(generation) / "singular_values.svg"
    plots.save_figure(figure, plot)
    tables = folder.layers(generation), folder.recommendations(generation)
    inputs = [folder.plan(generation), folder.singular_values(generation)]
    inputs.append(folder.winners(generation - 1))
    inputs += [folder.record(generation, step) for step in plan.steps]
    path = folder.generation(generation) / "decision_report.json"
    written = {CHECKSUMS: checksums(path, *tables, plot)}
    dependencies.with_inputs(inputs).write(path, written)


def merge_tries(
    folder: SearchFolder, generation: int, dependencies: Dependencies = NO_DEPENDENCIES
) -> None:
    """Write a decision point as one plan."""
    tries = list(folder.tries(generation))
    inputs = [folder.try_plan(generation, number) for number in range(1, len(tries) + 1)]
    dependencies.with_inputs(inputs).write(folder.plan(generation), merge(tries).to_json())


def singular_values(
    models: Sequence[Path],
    output: Path,
    settings: dict[str, Any],
    seed: int,
    data: Path | None = None,
    split: Path | None = None,
    dependencies: Dependencies = NO_DEPENDENCIES,
) -> None:
    """Write the analysis of models' dense layers, by candidate; none of failed ones.

    Args:
        models: the branches.
        output: file to write.
        settings: of the analysis; none if the weights suffice.
        seed: of the search.
        data: folder of the prepared dataset, if samples are needed.
        split: file with the indices of training, validation and test samples.
        dependencies: of the file.
    """
    chosen = from_settings(AnalysisSettings, settings) if settings else None

    def read(count: int) -> CalibrationSamples:
        assert data is not None
        assert split is not None
        return calibration_samples(datasets.read_part(data, split, "training"), seed, count)

    found = {}
    for model in models:
        record = read_record(model)
        layers: list[Analysis] = []
        if record.status == Status.OK:
            network = read_candidate(model, record).network
            layers = analyse_branch(network, chosen, read, seed) if chosen else analyse(network)
        found[record.candidate] = [asdict(layer) for layer in layers]
    inputs = list(map(record_path, models))
    if data is not None and split is not None:
        inputs += [data / "data.json", split.with_suffix(".json")]
    dependencies.with_inputs(inputs).write(output, found)
