"""Settings have one source: the schema, and the classes that read them."""

import ast
import re
from functools import cache

import pytest

from netsurgery.config import job_settings
from netsurgery.datasets import SplitSettings
from netsurgery.objectives.training_settings import (
    PartSettings,
    PenaltySettings,
    RateSettings,
    TrainingSettings,
)
from netsurgery.search.algorithms import ALGORITHMS
from netsurgery.search.arbor import settings as arbor
from netsurgery.search.ectonas.settings import BudgetSettings, GenerationSettings, SelectionSettings
from netsurgery.search.size_limit import SIZES
from netsurgery.search.surgeon.settings import (
    AnalysisSettings,
    DecisionSettings,
    StoppingSettings,
)
from netsurgery.search.target import Target
from netsurgery.search.usefulness import UsefulnessSettings
from netsurgery.storage.settings import setting_names
from netsurgery.surgery.operations import ECTONAS, SURGEON
from netsurgery.surgery.settings import SurgerySettings
from tests.support.factories import ROOT, schema, search
from tests.unit.config.examples import load, load_surgeon

COMMON = (
    *(TrainingSettings, PartSettings, PenaltySettings),
    *(SplitSettings, Target, UsefulnessSettings),
)
READERS = {
    "arbor": (
        *(*COMMON, SurgerySettings, RateSettings),
        *(arbor.RoundSettings, arbor.BudgetSettings),
    ),
    "baseline": COMMON,
    "ectonas": (*COMMON, SurgerySettings, GenerationSettings, SelectionSettings, BudgetSettings),
    "surgeon": (*COMMON, AnalysisSettings, DecisionSettings, StoppingSettings),
}
# what the workflow reads itself: which jobs there are
WORKFLOW = {"algorithm", "dataset", "topology", "seeds", "time_limit", "reference"}
FIRST_TRAINING = {
    "arbor": {"price", "round_learning_rate"},
    "baseline": {"epochs"},
    "ectonas": {"warm_up_epochs"},
}


OF_OTHERS = {"ectonas": {"size_weight"}}  # keys of other algorithms in a class that both read


@pytest.mark.parametrize("algorithm", READERS)
def test_each_key_of_a_search_has_a_class_that_reads_it(algorithm):
    known = {*schema()["$defs"][algorithm]["properties"], *ALGORITHMS[algorithm].fixed_settings}
    read = {*setting_names(*READERS[algorithm])} - OF_OTHERS.get(algorithm, set())
    assert known == read | WORKFLOW | FIRST_TRAINING.get(algorithm, set())


@cache
def names_in_code():
    """Every attribute and text in the package, and every word of the rules."""
    rules = (ROOT / "workflow" / "rules").glob("*.smk")
    found = {word for path in rules for word in re.findall(r"\w+", path.read_text())}
    for path in (ROOT / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute):
                found.add(node.attr)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value)
    return found


@pytest.mark.parametrize("name", sorted(schema()["$defs"].keys() - {"data", "table", "task"}))
def test_each_key_of_the_schema_is_read(name):
    definition = schema()["$defs"][name]
    assert {*definition.get("properties", definition)} <= names_in_code()


def test_a_job_gets_the_settings_of_the_class_that_reads_them():
    assert set(job_settings.SPLIT) == {
        "validation_fraction",
        "test_fraction",
        "subset_fraction",
        "min_subset_size",
        "folds",
        "numbers",
    }
    optional = dict.fromkeys(SIZES, 10**7) | {"statistics_momentum": 0.9}
    settings = load(width_factor=2, operations=["ectonas"], **optional).searches["s"].settings
    assert {*job_settings.TRAINING, *job_settings.GENERATION} <= {*settings}
    assert {*job_settings.DECISION} <= {*load_surgeon(**optional).searches["s"].settings}
    grown = search(algorithm="arbor", topology="cnn-tiny", **optional).settings
    assert {*job_settings.ROUND, *job_settings.GROWTH, *job_settings.SURGERY} <= {*grown}
    of_surgeon = {"size_weight"}
    assert {*job_settings.SELECTION} - of_surgeon <= {
        *settings,
        *grown,
    }  # of each algorithm those that it has


def test_recuperation_has_a_default_for_each_operation():
    recuperation = load().searches["s"].settings["recuperation"]
    assert recuperation == {each.name: each.recuperation_epochs for each in ECTONAS}
    factors = load_surgeon().searches["s"].settings["recuperation_factors"]
    assert factors == {each.name: each.recuperation_factor for each in SURGEON}
