"""Errors: one line that names the key, the value and what is allowed."""

import re

import pytest

from netsurgery.config import loading
from netsurgery.config.errors import ConfigError
from netsurgery.config.schema import read_schema
from tests.support.factories import ROOT, SCHEMA
from tests.unit.config.examples import BASE, load, load_surgeon

WRONG: dict[str, tuple[dict, str]] = {
    "searches.s.topolgy": ({"topolgy": "x"}, "did you mean topology"),
    "searches.s.topology": ({"topology": "cnn-smal"}, "did you mean cnn-small"),
    "searches.s.dataset": ({"dataset": "digit"}, "did you mean digits"),
    "searches.s.mode": ({"mode": "gredy"}, "did you mean greedy"),
    "searches.s.algorithm": ({"algorithm": "magic"}, "allowed: arbor, baseline, ectonas"),
    "searches.s.budget": ({"budget": "many"}, "such as `90s`, `20min` or `1.5h`"),
    "searches.s.seeds.0": ({"seeds": [-1]}, "minimum of 0"),
    "searches.s.seeds": ({"seeds": []}, "empty"),
    "searches.s.greediness": ({"greediness": 0.5}, "mode: balanced"),
    "searches.s.momentum": ({"optimizer": "adam", "momentum": 0.9}, "adam takes no momentum"),
    "searches.s.epochs": ({"epochs": 5}, "unknown key"),
    "searches.s.learning_rate": ({"learning_rate": float("nan")}, "finite"),
    "searches.s.recuperation.add_dens": ({"recuperation": {"add_dens": 1}}, "add_dense"),
    "searches.s.recuperation.identity": ({"recuperation": {"identity": 2}}, "maximum of 1"),
    "reslts": ({"top": {"reslts": "x"}}, "did you mean results"),
    "results": ({"top": {"results": 3}}, "not text"),
    "datasets.d.source": ({"top": {"datasets": {"d": {"source": "npzz"}}}}, "did you mean npz"),
    "datasets.d.path": ({"top": {"datasets": {"d": {"source": "npz"}}}}, "is missing"),
    "datasets.d.paht": (
        {"top": {"datasets": {"d": {"source": "npz", "path": ".", "paht": "x"}}}},
        "did you mean path",
    ),
    "datasets.d.taget": (
        {"top": {"datasets": {"d": {"source": "csv", "path": ".", "taget": "x"}}}},
        "did you mean target",
    ),
    "datasets.e.path": (
        {"top": {"datasets": {"e": {"source": "npz", "path": "no/such.npz"}}}},
        "'no/such.npz' does not exist",
    ),
    "datasets.digits": (
        {"top": {"datasets": {"digits": {"source": "npz", "path": "."}}}},
        "built-in",
    ),
    "topologies.m.0.dens": ({"topologies": {"m": [{"dens": {"units": 1}}]}}, "mean dense"),
    "topologies.m.0.dense.units": ({"topologies": {"m": [{"dense": {"units": 0}}]}}, "minimum"),
    "topologies.ff-small": ({"topologies": {"ff-small": [{"dense": {"units": 1}}]}}, "built-in"),
    "topologies.m": (
        {
            "topology": "m",
            "topologies": {"m": [{"dense": {"units": 1}}, {"conv_cell": {"channels": 1}}]},
        },
        "before all dense",
    ),
}


@pytest.mark.parametrize("key", WRONG)
def test_an_error_names_the_key_and_what_is_allowed(key):
    given, hint = WRONG[key]
    with pytest.raises(ConfigError) as caught:
        load(**given)
    message = str(caught.value)
    assert "\n" not in message
    assert re.match(rf"config: {re.escape(key)}: ", message), message
    assert hint in message


@pytest.mark.parametrize(
    ("key", "given", "hint"),
    [
        ("topology", {"topology": "cnn-small"}, "the Surgeon takes dense layers only"),
        ("early_stopping.patienc", {"early_stopping": {"patienc": 3}}, "did you mean patience"),
        ("early_stopping.patience", {"early_stopping": {"patience": 0}}, "minimum of 1"),
        ("objective", {"objective": "val_loss"}, "val_accuracy"),
        ("mode", {"mode": "greedy"}, "allowed: random, recommended"),
        ("selection", {"selection": "best"}, "allowed: by_type, top"),
        (
            "recuperation_factors.add_conv_cell",
            {"recuperation_factors": {"add_conv_cell": 1}},
            "unknown",
        ),
        ("target", {"target": 80}, "80 is out of reach: val_accuracy is at most 1; write 0.8"),
        ("target_accuracy", {"target_accuracy": 0.8}, "did you mean target"),
        ("rounds", {"rounds": 3}, "unknown key"),
    ],
)
def test_an_error_of_the_surgeon_names_the_key(key, given, hint):
    with pytest.raises(ConfigError) as caught:
        load_surgeon(**given)
    assert str(caught.value).startswith(f"config: searches.s.{key}: ")
    assert hint in str(caught.value)


@pytest.mark.parametrize(
    "given",
    [{}, {"searches": {}}, {"searches": None}, {"searches": []}, {"searches": {"s": 1}}]
    + [{"searches": {name: BASE}} for name in ("a/b", "../x", "a.b", "", 3, "_data")],
)
def test_an_invalid_search_is_refused_in_one_line(given):
    with pytest.raises(ConfigError, match=r"^config: searches.*$"):
        loading.load(given, SCHEMA)


@pytest.mark.parametrize(
    ("key", "value", "hint"),
    [
        ("learning_rate", "1e-3", "YAML reads it as text, write 0.001 (without quotes)"),
        ("learning_rate", "0.01", "write 0.01 (without quotes)"),
        ("batch_size", "1e2", "write 100 (without quotes)"),
        (
            "learning_rate",
            "fast",
            "'fast' is not a number (Learning rate, the highest one if a schedule changes it)",
        ),
        ("learning_rate", ".nan", "'.nan' is not a number"),
    ],
)
def test_a_number_that_yaml_reads_as_text_gets_a_hint(key, value, hint):
    with pytest.raises(ConfigError, match=re.escape(hint)):
        load(**{key: value})


def numeric_keys(schema, place=()):
    """The keys of a schema whose values are numbers, nested ones too."""
    if schema.get("type") in ("number", "integer"):
        yield place
    for key, value in schema.get("properties", {}).items():
        yield from numeric_keys(value, (*place, key))


def schema_of(algorithm):
    return read_schema(SCHEMA)[1]["searches"]["$defs"][algorithm]


NUMERIC = [
    (algorithm, key)
    for algorithm in ("ectonas", "surgeon", "baseline")
    for key in numeric_keys(schema_of(algorithm))
]


def test_the_numeric_keys_of_all_algorithms_are_found():
    assert len(NUMERIC) > 50
    assert ("ectonas", ("recuperation", "identity")) in NUMERIC


@pytest.mark.parametrize(("algorithm", "key"), NUMERIC)
def test_every_numeric_key_has_a_hint_for_text(algorithm, key):
    value = "1e-3"
    for each in reversed(key):
        value = {each: value}
    search = {"algorithm": algorithm, "topology": "surgeon-small"} | value
    with pytest.raises(ConfigError, match=re.escape("write 0.001 (without quotes)")):
        load(**search)


@pytest.mark.parametrize(
    "setting",
    [
        {"optimizer": {"adam": {"epsilon": "1e-3"}}},
        {"optimizer": {"adam": {"clipnorm": "1e-3"}}},
        {"loss": {"categorical_focal_crossentropy": {"gamma": "1e-3"}}},
        {"extra_metrics": [{"top_k_categorical_accuracy": {"k": "1e-3"}}]},
        {"greediness": [0.5, "1e-3"], "mode": "balanced"},
        {"seeds": ["1e-3"]},
        {"seeds": "1e-3"},
    ],
)
def test_nested_numbers_have_a_hint_as_well(setting):
    with pytest.raises(ConfigError, match=re.escape("write 0.001 (without quotes)")):
        load(**setting)


@pytest.mark.parametrize(
    ("top", "line"),
    [
        ({"only_run": "s"}, "only_run: 's' is not valid (One search and seed to run, such as"),
        ({"only_run": "t/42"}, "only_run: unknown search 't' (allowed: s)"),
        ({"only_run": "s/7"}, "only_run: search 's' does not run with seed 7 (its seeds: [42])"),
        ({"results": "a b"}, "results: 'a b' is not valid (Folder for all results. Its name may"),
        (
            {"datasets": {"d": {"source": "tfds", "name": "mnist", "input": "image"}}},
            "datasets.d.target: is missing; input requires it",
        ),
        (
            {"datasets": {"d": {"source": "csv", "path": ".", "target": 0, "columns": ["a"]}}},
            "datasets.d.columns: ['a'] has fewer than 2 entries (Names of the columns)",
        ),
    ],
)
def test_an_error_of_the_top_level_says_what_is_allowed(top, line):
    with pytest.raises(ConfigError) as caught:
        load(top=top)
    assert str(caught.value).startswith(f"config: {line}")


def test_an_error_shows_no_markdown_links():
    with pytest.raises(ConfigError) as caught:
        load(optimizer=3)
    assert str(caught.value).endswith("(A Keras optimizer by name, or `{name: {argument: value}}`)")


@pytest.mark.parametrize("setting", [{"rownds": 3}, {"learning_rate": "1e-3"}])
def test_the_settings_page_shows_the_messages(setting):
    with pytest.raises(ConfigError) as caught:
        loading.load({"searches": {"mine": BASE | setting}}, SCHEMA)
    assert f"\n{caught.value}\n" in (ROOT / "docs/settings.md").read_text(encoding="utf-8")
