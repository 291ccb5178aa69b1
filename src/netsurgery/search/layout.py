"""Where the files of a search are: the one place that knows, for the workflow and for the jobs.

    <results>/<search>/seed<seed>/
        split.npz .json                     indices of training, validation and test samples
        generation00/warm-up.keras .json    the initial network, trained
        generation<g>/winners.json          the parents of the next generation
        generation<g>/tracked.json          what MLflow has up to this generation
        generation<g>/plan.json             offspring and who competes with whom; or the end
        generation<g>/recuperation/<candidate>.keras .json
        generation<g>/phase1/<operation>/round<r>/slot<i>.keras .json
        generation<g>/phase2/round<r>/slot<i>.keras .json
        generation<g>/first_look.json       (Arbor) all growths of the trunk, and their gradients
        generation<g>/cooled/<candidate>.keras .json    (Arbor) after its learning rate fell
        generation<g>/fresh/<candidate>.keras .json     (Arbor) trained from fresh weights
        generation<g>/try<t>/slot<i>.keras .json    (Surgeon) the best of a try, fully trained
        generation<g>/try<t>/plan.json      (Surgeon) a try; or the verdict on all of them
        generation<g>/singular_values.json layers.csv recommendations.csv singular_values.svg
                      decision_report.json  (Surgeon) explain the decision
        final/model.keras network.keras network.json
              preprocessing.json test.json summary.json
        lineage.csv                         a row per candidate
        reference.json                      what models that are no networks give
        front.csv                           a row per network that may be used
        plots/                              plots of the search
        logs/                               the output of each job

The model file and the record of a training step differ in their suffix only. A step that covers
several rounds (see `netsurgery.search.ectonas.byes`) has the files of the first. A JSON file has
the checksums of what its job wrote next to it (see `netsurgery.storage.integrity`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from netsurgery.search.algorithm import Algorithm
from netsurgery.search.algorithms import Plan, read_plan
from netsurgery.search.front import front_table
from netsurgery.search.plans import FinalPlan, GenerationPlan, TrainingPlan
from netsurgery.search.records import Record
from netsurgery.search.steps import WARM_UP, Phase
from netsurgery.search.surgeon.plans import TryPlan, Verdict, read_try
from netsurgery.search.winners import Winners, model_name, read_winners
from netsurgery.storage.files import read_json


@dataclass(frozen=True)
class SearchFolder:
    """The folder of one search with one seed."""

    root: Path

    def generation(self, number: int) -> Path:
        """The folder of a generation; generation 0 is the warm-up."""
        return self.root / f"generation{number:02d}"

    def plan(self, generation: int) -> Path:
        """The plan of a generation, or the final plan."""
        return self.generation(generation) / "plan.json"

    def try_plan(self, generation: int, attempt: int) -> Path:
        """The plan of a try of the Surgeon, the verdict on all tries, or the final plan."""
        return self.generation(generation) / f"try{attempt}" / "plan.json"

    def first_look(self, generation: int) -> Path:
        """What the first look of Arbor says of all growths that a generation may try."""
        return self.generation(generation) / "first_look.json"

    def singular_values(self, generation: int) -> Path:
        """The singular values of the branches that a decision point of the Surgeon starts from."""
        return self.generation(generation) / "singular_values.json"

    def layers(self, generation: int) -> Path:
        """The table of dense layers of a decision point's branches."""
        return self.generation(generation) / "layers.csv"

    def recommendations(self, generation: int) -> Path:
        """The table of modifications that a decision point can try."""
        return self.generation(generation) / "recommendations.csv"

    def winners(self, generation: int) -> Path:
        """The winners of a generation."""
        return self.generation(generation) / "winners.json"

    def record(self, generation: int, step: str) -> Path:
        """The record of a training step (see `netsurgery.search.steps`)."""
        return self.generation(generation) / f"{step}.json"

    def model(self, generation: int, step: str) -> Path:
        """The model of a training step."""
        return self.root / model_name(generation, step)

    @property
    def final(self) -> Path:
        """The folder with the final model and what goes with it."""
        return self.root / "final"

    @property
    def reference(self) -> Path:
        """What models that are no networks give on the test samples, if the user wants to know."""
        return self.root / "reference.json"

    @property
    def lineage(self) -> Path:
        """The table of all candidates."""
        return self.root / "lineage.csv"

    def tries(self, generation: int) -> Iterator[TryPlan | Verdict | FinalPlan]:
        """The plans of a decision point: its tries and their verdict, or the final plan."""
        attempt = 1
        while True:
            plan = read_try(self.try_plan(generation, attempt))
            yield plan
            if not isinstance(plan, TryPlan):
                return
            attempt += 1

    def plans(self) -> Iterator[Plan]:
        """The plans of a finished search, in order; none for a baseline."""
        generation = 1
        while self.plan(generation).exists():
            plan = read_plan(self.plan(generation))
            yield plan
            if isinstance(plan, FinalPlan):
                return
            generation += 1

    def generations(self) -> list[GenerationPlan]:
        """The plans of a finished search without the final one."""
        return [plan for plan in self.plans() if isinstance(plan, GenerationPlan)]

    def strays(self, plan: Plan) -> list[Path]:
        """List files of training steps that an earlier plan of a generation left."""
        generation, number = self.generation(plan.generation), plan.generation
        steps = plan.steps if isinstance(plan, GenerationPlan) else []
        own = {path(number, step) for step in steps for path in (self.record, self.model)}
        phases = (Phase.RECUPERATION, Phase.PHASE1, Phase.PHASE2, Phase.COOLED, Phase.FRESH)
        found = (path for phase in phases for path in (generation / phase).rglob("*"))
        return [path for path in found if path.is_file() and path not in own]

    def records_of(self, plan: TrainingPlan) -> dict[str, Record]:
        """All records of a planned generation or try, by training step."""
        return {
            step: Record.from_json(read_json(self.record(plan.generation, step)))
            for step in plan.steps
        }

    def read_winners(self, generation: int) -> Winners:
        """The winners of a generation."""
        return read_winners(self.winners(generation))

    def parents(self, plan: GenerationPlan) -> dict[str, Record]:
        """The parents of a planned generation, by candidate."""
        records = self.read_winners(plan.generation - 1).records
        return {record.candidate: record for record in records}

    def start(self) -> Record:
        """The record of the initial network after its training."""
        return Record.from_json(read_json(self.record(0, WARM_UP)))

    def end(self) -> Record:
        """The record of the final candidate."""
        return Record.from_json(read_json(self.final / "network.json"))

    @property
    def front(self) -> Path:
        """The table of all finished networks."""
        return self.root / "front.csv"

    def finished_models(self, algorithm: Algorithm) -> dict[str, Record]:
        """The records of the networks of a finished search that may be used, by model file."""
        found = {model_name(0, WARM_UP): self.start()} if algorithm.is_finished(WARM_UP) else {}
        for plan in self.generations():
            for step, record in self.records_of(plan).items():
                if algorithm.is_finished(step):
                    found[model_name(plan.generation, step)] = record
        return found | {"final/network.keras": self.end()}

    def front_table(self, algorithm: Algorithm, metric: str) -> list[dict[str, Any]]:
        """All finished networks, the smallest first (see `netsurgery.search.front`)."""
        return front_table(self.finished_models(algorithm), metric)

    @property
    def complete(self) -> bool:
        """Whether a search has all its records and its final files."""
        try:
            self.records()
        except (OSError, ValueError):
            return False
        ends = (self.final / "model.keras", self.final / "summary.json", self.lineage, self.front)
        return all(path.exists() for path in ends)

    def records(self) -> list[Record]:
        """All records of a finished search, in order."""
        between = [r for plan in self.generations() for r in self.records_of(plan).values()]
        return [self.start(), *between, self.end()]
