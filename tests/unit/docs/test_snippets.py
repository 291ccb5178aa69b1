"""Configurations, commands and code that the pages show."""

import ast
import shlex

import pytest
import yaml

from netsurgery.cli import main
from netsurgery.config import loading, search_section
from netsurgery.config.starting_models import StartingModel
from netsurgery.datasets.source import FILE_KEYS
from netsurgery.networks import topologies
from tests.support.factories import ROOT, SCHEMA, schema
from tests.support.pages import blocks, commands, pages

SEARCH = {"algorithm": "ectonas", "dataset": "digits", "topology": "ff-small"}
MODEL = StartingModel(
    "", "", topologies.build(topologies.named("cnn-small"), (28, 28, 1), 10), {}
)  # of the reader's
SHOWN = [page for page in pages() if page.parts[0] == "docs" or str(page) == "README.md"]


def snippets(language):
    return [
        pytest.param(text, id=f"{page}-{number}")
        for page in SHOWN
        for number, text in enumerate(blocks(page, language))
    ]


def lines(program):
    return [
        pytest.param(line, id=line)
        for line in sorted({line for page in SHOWN for line in commands(page)})
        if line.startswith(f"{program} ")
    ]


@pytest.mark.parametrize("text", snippets("yaml"))
def test_a_configuration_is_valid(text, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(search_section, "read_model", lambda path, where: MODEL)
    given = yaml.safe_load(text)
    for settings in given.get("datasets", {}).values():  # files of the reader's
        for key in settings.keys() & {*FILE_KEYS}:
            path = tmp_path / settings[key]
            (path.parent if path.suffix else path).mkdir(parents=True, exist_ok=True)
            if path.suffix:
                path.touch()
    if set(given) <= set(schema()["properties"]):
        loading.load({"searches": {"s": SEARCH}} | given, SCHEMA)
    else:  # a profile
        assert all(key.startswith("cluster-generic-") for key in given)


@pytest.mark.parametrize("text", snippets("python"))
def test_python_code_is_valid(text):
    ast.parse(text)


@pytest.mark.parametrize("line", lines("netsurgery"))
def test_netsurgery_takes_the_command(line):
    main.parser().parse_args(shlex.split(line)[1:])


@pytest.mark.parametrize("line", lines("snakemake"))
def test_snakemake_finds_the_profile_and_the_configuration(line):
    words = shlex.split(line)[1:]
    own = {"mine.yaml", "first.yaml", "config.yaml"}  # which the reader writes
    paths = [word for word in words if "/" in word or word.endswith(".yaml")]
    assert [path for path in paths if path not in own and not (ROOT / path).exists()] == []


@pytest.mark.parametrize("line", lines("make"))
def test_make_knows_the_target(line):
    targets = [word for word in shlex.split(line)[1:] if "=" not in word]
    makefile = (ROOT / "Makefile").read_text()
    assert [target for target in targets if f"\n{target}: " not in makefile] == []


@pytest.mark.parametrize(
    "message",
    [
        "the next run regenerates it",
        "when the problem is fixed, run the same command again: finished work is kept",
        "exact: predictions stay the same",
    ],
)
def test_the_pages_quote_messages_as_they_are(message):
    assert any(message in text for page in SHOWN for text in blocks(page, ""))
    sources = (ROOT / "src" / "netsurgery").rglob("*.py")
    assert any(message in path.read_text(encoding="utf-8") for path in sources)
