"""The shell commands of rules."""

import shlex

import pytest

from netsurgery.processes import client
from netsurgery.workflow import commands
from tests.support.factories import ROOT


def test_every_job_goes_through_the_client():
    for path in (ROOT / "workflow/rules").glob("*.smk"):
        assert "netsurgery.processes" not in path.read_text(), path


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (commands.job, client.JOBS),
        (commands.data_job, client.JOBS),
        (commands.display_job, client.DISPLAY),
        (commands.tensorflow_job, client.TRAINING),
    ],
)
def test_a_command_has_its_kind_and_its_log(make, kind):
    before, line = make("init_search", "--folder {params.folder}").split("; ")
    assert before == "trap '' INT"  # Ctrl-C ends a job through the run
    words = shlex.split(line)
    assert words[:6] == ["python", "-S", "-m", "netsurgery.processes.client", kind, "init_search"]
    assert "{log}" in words
    assert "2>&1" in words


def test_a_training_step_has_a_time_limit():
    line = commands.training_job("train_round", "--models {input.models}")
    assert " training --time-limit {params.time_limit} train_round --data" in line
