"""The tables of commands, against the functions they call and the rules that use them."""

import inspect
import re

import pytest

from netsurgery.jobs import __main__ as jobs
from netsurgery.jobs import training_commands
from tests.support.factories import ROOT

RULES = "".join(path.read_text() for path in sorted((ROOT / "workflow/rules").glob("*.smk")))
SAMPLES = "--data --split"  # what parameters.analysis_samples gives, where samples are needed
TABLES = [
    pytest.param(jobs.COMMANDS, set(), id="jobs"),
    pytest.param(training_commands.COMMANDS, {"step"}, id="training"),
]


@pytest.mark.parametrize(("commands", "common"), TABLES)
def test_options_are_the_parameters_of_the_function(commands, common):
    for name, command in commands.items():
        parameters = set(inspect.signature(command.run).parameters)
        assert parameters == set(command.options) | common, name


@pytest.mark.parametrize(("commands", "common"), TABLES)
def test_commands_have_the_names_of_their_rules(commands, common):
    for name in commands:
        assert re.search(rf"^(rule|checkpoint) {name}:$", RULES, re.MULTILINE), name


@pytest.mark.parametrize(("commands", "common"), TABLES)
def test_rules_give_each_command_its_options(commands, common):
    for name, command in commands.items():
        called = re.search(rf'_?job\(\s*"{name}",\s*(.*?)\s*\)\n', RULES, re.DOTALL)
        assert called, name
        text = called[1].replace("{params.samples}", SAMPLES)
        given = {flag.replace("-", "_") for flag in re.findall(r"--([a-z-]+)", text)}
        everywhere = {"step", "output", "target"}  # options of all commands of their table
        assert given - everywhere == set(command.options) - everywhere, name
