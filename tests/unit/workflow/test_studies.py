"""The networks that the studies look at."""

import pytest
import yaml

from netsurgery.config import loading
from netsurgery.workflow import studies
from tests.support.factories import ROOT, SCHEMA


@pytest.fixture
def config():
    given = yaml.safe_load((ROOT / "config/studies/pooling-digits.yaml").read_text())
    return loading.load(given, SCHEMA)


def test_studies_look_at_baselines(config):
    found = studies.study_runs(config, studies.SURGERY)
    assert found
    assert all(config.searches[name].algorithm.name == "baseline" for name, _ in found)


def test_pooling_trials_look_at_bare_convolutions(config):
    found = studies.study_runs(config, studies.POOLING)
    assert found
    for name, _ in found:
        assert any("conv" in layer for layer in config.searches[name].layers)
    assert len(studies.study_rows(config, studies.POOLING)) == len(found)


def test_only_the_paper_on_ectonas_has_pooling_trials(config):
    assert studies.paper_inputs(config, ["surgeon"]) == []
    assert studies.paper_inputs(config, ["ectonas"]) == [
        f"{config.results}/_studies/pooling/summary.csv"
    ]
