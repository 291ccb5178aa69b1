"""The settings that each kind of job receives: the fields of the classes that read them.

Snakemake reruns a job when its parameters change, so that a job receives no setting it does not
read.
"""

from __future__ import annotations

from netsurgery.datasets.splits import SplitSettings
from netsurgery.objectives.training_settings import (
    PartSettings,
    PenaltySettings,
    RateSettings,
    TrainingSettings,
)
from netsurgery.search.arbor.settings import GrowthSettings, JudgementSettings, RoundSettings
from netsurgery.search.ectonas.settings import GenerationSettings, SelectionSettings
from netsurgery.search.selection import Comparison
from netsurgery.search.surgeon.settings import AnalysisSettings, DecisionSettings
from netsurgery.search.usefulness import UsefulnessSettings
from netsurgery.storage.settings import setting_names
from netsurgery.surgery.settings import SurgerySettings

TRAINING = setting_names(TrainingSettings)
# training of networks that train alone: the initial one, those with fresh weights, the final one
INITIAL = setting_names(TrainingSettings, PartSettings, PenaltySettings)
FRESH = setting_names(TrainingSettings, PartSettings, RateSettings)
FINAL = setting_names(TrainingSettings, PartSettings, Comparison, UsefulnessSettings)
MATCH = setting_names(TrainingSettings, Comparison)  # training of the winner of a match
SPLIT = setting_names(SplitSettings)
SELECTION = setting_names(SelectionSettings, JudgementSettings)
SURGERY = setting_names(SurgerySettings)
GENERATION = setting_names(GenerationSettings)
ROUND = setting_names(RoundSettings)
GROWTH = setting_names(GrowthSettings)
ANALYSIS = setting_names(AnalysisSettings)
DECISION = setting_names(DecisionSettings)
