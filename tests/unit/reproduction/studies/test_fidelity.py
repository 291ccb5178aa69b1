"""The fidelity study."""

import json
import re
import subprocess
import sys

import numpy as np
import pytest

from netsurgery.networks import topologies
from netsurgery.reproduction.studies import fidelity
from netsurgery.reproduction.studies.outputs import accuracy, change
from netsurgery.reproduction.studies.rules import RULES, SVD
from netsurgery.surgery import Mutation, legal_mutations, operations
from tests.support.factories import ROOT
from tests.support.study_networks import train_study_network


def test_fidelity_measures_every_rule():
    trained_base = train_study_network(topologies.named("ff-small"), 5)
    chosen = [
        Mutation(operations.IDENTITY),
        *legal_mutations(trained_base.network.topology, operations=[operations.REMOVE_UNITS]),
    ]
    rows = list(fidelity.measure_fidelity(trained_base, chosen))
    assert [row["rule"] for row in rows] == [SVD, *RULES]  # identity has only one rule
    identity, _, fitted, _ = rows
    assert identity["right_after"] == identity["before"] > 0.8
    assert identity["output_change"] == 0
    assert identity["after_epoch"] > 0.8
    assert fitted["parameters"] < fitted["parameters_before"]
    assert fitted["before"] - fitted["right_after"] < 0.2
    json.dumps(rows, allow_nan=False)


@pytest.mark.workflow
@pytest.mark.parametrize(
    ("target", "job", "count"),
    [
        ("study_surgery", "surgery_fidelity", 2),
        ("study_surgery_immediate", "surgery_fidelity", 2),
        ("study_pooling", "pooling_trials", 3),  # of bare convolutions alone
    ],
)
def test_study_targets_use_baselines_and_are_not_in_all(target, job, count, tmp_path):
    configs = [ROOT / f"config/studies/{name}-digits.yaml" for name in ("surgery", "pooling")]
    config = configs[target == "study_pooling"]
    snakemake = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")]
    place = ["--directory", str(tmp_path), "--configfile", str(config), "--cores", "1", "--dry-run"]
    done = subprocess.run([*snakemake, *place, "--", target], capture_output=True, text=True)
    output = done.stdout + done.stderr
    assert done.returncode == 0, output
    assert re.search(rf"^{job} +{count}$", output, re.MULTILINE)
    assert not re.search(r"^(summarize_all|log_search|plot_search) ", output, re.MULTILINE)


def test_accuracy_and_change():
    outputs = np.array([[1.0, 2.0], [3.0, -4.0]])
    assert accuracy(outputs, np.array([1, 1])) == 0.5
    assert change(outputs, outputs + 1) == 0.25
