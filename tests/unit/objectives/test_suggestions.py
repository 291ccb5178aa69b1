"""Suggestions of valid names."""

import yaml

from netsurgery.objectives.suggestions import KNOWN_AS, MAX_LISTED, suggest
from tests.support.factories import ROOT


def settings_of(schema):
    """All keys that a schema describes, at any depth."""
    if isinstance(schema, list):
        return set().union(*map(settings_of, schema))
    if not isinstance(schema, dict):
        return set()
    return set(schema.get("properties", ())) | set().union(*map(settings_of, schema.values()))


def test_the_closest_name_and_all_names_are_listed():
    assert suggest("gredy", ["greedy", "random"]) == (
        "; did you mean greedy? (allowed: greedy, random)"
    )
    assert suggest("x", ["greedy", "random"]) == " (allowed: greedy, random)"


def test_of_many_names_the_closest_is_enough():
    names = [f"name{i}" for i in range(MAX_LISTED)] + ["greedy"]
    assert suggest("gredy", names) == "; did you mean greedy?"


def test_a_word_of_other_libraries_leads_to_the_name_here():
    assert suggest("sep", ["delimiter", "decimal"]).startswith("; did you mean delimiter?")
    assert suggest("sep", ["step", "decimal"]).startswith("; did you mean step?")


def test_every_known_word_leads_to_a_setting():
    schema = ROOT / "workflow" / "schemas" / "config.schema.yaml"
    settings = settings_of(yaml.safe_load(schema.read_text()))
    assert set(KNOWN_AS.values()) <= settings
    assert not set(KNOWN_AS) & settings
