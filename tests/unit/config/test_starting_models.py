"""Users' models as starting topologies: paths, what is taken over, and what does not fit."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import pytest

from netsurgery.analysis import runs
from netsurgery.config import starting_models
from netsurgery.config.errors import ConfigError
from netsurgery.config.starting_models import is_path
from netsurgery.networks.layers import Conv, Dense, Flatten, Layer, Other, Rescaling
from netsurgery.networks.topology import Topology
from tests.unit.config.examples import REGRESSION, load

SETTINGS = {"optimizer": {"sgd": {"nesterov": True}}, "learning_rate": 0.03, "momentum": 0.9}


def described(*layers: Layer, shape: tuple[int, ...] = (8, 8, 1)) -> dict[str, Any]:
    topology = Topology(shape, layers or (Conv(4), Flatten(), Dense(10, "softmax")))
    return {"topology": topology.to_json(), "settings": SETTINGS, "notes": ["it has moods"]}


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Makes a file that is described as a model."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(starting_models, "_cache_folder", lambda: tmp_path / "cache")
    starting_models.read.cache_clear()

    def make(name: str = "mine.keras", **description: Any) -> str:
        Path(name).write_text(json.dumps(description or described()))
        monkeypatch.setattr(
            starting_models, "_described", lambda path, where: json.loads(Path(path).read_text())
        )
        return name

    return make


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        *(("mine.keras", True), ("a/b.h5", True), ("saved/folder", True)),
        *(("cnn-small", False), (["a.keras"], False), (3, False)),
    ],
)
def test_paths_and_names_differ(value: Any, expected: bool) -> None:
    assert is_path(value) == expected


def test_a_folder_of_tensorflow_is_a_path(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("exported", "other"):
        Path(name).mkdir()
    Path("exported/saved_model.pb").touch()
    assert is_path("exported")
    assert not is_path("other")


def test_a_search_takes_over_the_compilation(model: Any) -> None:
    search = load(topology=model()).searches["s"]
    assert search.settings.items() >= SETTINGS.items()
    assert search.layers == []
    assert search.start == {"model": starting_models.content_of_model(Path("mine.keras"))}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"learning_rate": 0.5}, SETTINGS | {"learning_rate": 0.5}),
        ({"optimizer": "adam"}, {"optimizer": "adam", "learning_rate": 0.001, "momentum": 0}),
    ],
)
def test_settings_of_the_search_come_first(given: Any, expected: Any, model: Any) -> None:
    assert load(topology=model(), **given).searches["s"].settings.items() >= expected.items()


def test_arbor_trains_at_the_rate_of_the_model(model: Any) -> None:
    settings = load(topology=model(), algorithm="arbor").searches["s"].settings
    assert (settings["learning_rate"], settings["learning_rate_scaling"]) == (0.03, "none")
    assert settings["round_learning_rate"] == pytest.approx(0.01)


def test_notes_are_said_once(model: Any) -> None:
    model()
    both = load(topology=["./mine.keras", "cnn-small"], mode=["greedy", "random"])
    assert both.notes == ["./mine.keras: it has moods"]
    assert sorted(both.searches) == [
        *("s.cnn-small.greedy", "s.cnn-small.random"),
        *("s.mine.greedy", "s.mine.random"),
    ]


def test_two_models_of_one_name_are_refused(model: Any) -> None:
    Path("old").mkdir()
    both = [model(), model("old/mine.keras")]
    with pytest.raises(ConfigError, match="lists models of one name; rename one"):
        load(topology=both)


@pytest.mark.parametrize(
    ("layers", "search", "line"),
    [
        ((Flatten(), Dense(4)), {}, "has 4 outputs, but 'digits' has 10 classes"),
        ((Flatten(), Dense(10, "sigmoid")), {}, "ends with sigmoid; classification needs softmax"),
        (
            (Rescaling(1 / 255), Flatten(), Dense(10, "linear")),
            {},
            "scales its input itself (rescaling by 0.003922); set scaling: none for dataset",
        ),
        (
            (Conv(4), Flatten(), Dense(10)),
            {"algorithm": "surgeon"},
            "'mine.keras' has conv; the Surgeon takes dense layers only",
        ),
        (
            (Flatten(), Other("GRU", "", (64,), (9,), ((64, 9),), 1), Dense(10, "softmax")),
            {"algorithm": "arbor"},
            "'mine.keras' has GRU, whose weights surgery keeps as they are; Arbor trains",
        ),
        ((Flatten(), Dense(10, "linear")), {"loss": "dice"}, "dice takes no logits"),
        ((Flatten(), Dense(10, "softmax")), {"max_parameters": 9}, "max_parameters: 9 is less"),
        (
            (Flatten(), Dense(10, "softmax")),
            {"dataset": "sugar"},
            "takes samples of 8x8x1, but 'sugar' has 10",
        ),
        (
            (Flatten(), Dense(10, "softmax")),
            {"numbers": "auto"},
            "numbers: auto changes the inputs, of which 'mine.keras' takes one for each number",
        ),
    ],
)
def test_a_model_that_does_not_fit_is_refused(
    layers: Any, search: Any, line: str, model: Any
) -> None:
    given = model(**described(*layers) | {"settings": {}})
    with pytest.raises(ConfigError) as caught:
        load(top=REGRESSION, topology=given, **search)
    assert line in str(caught.value)


def test_scaling_in_the_model_needs_unscaled_data(model: Any) -> None:
    top = {"datasets": {"digits": {"scaling": "none"}}}
    given = model(**described(Rescaling(1 / 16), Flatten(), Dense(10, "softmax")))
    assert load(top=top, topology=given)


def test_a_missing_model_is_named(model: Any) -> None:
    with pytest.raises(ConfigError, match=r"s.topology: 'a/b.keras' does not exist; paths are"):
        load(topology="a/b.keras")


def test_paths_may_hold_variables(model: Any, tmp_path: Path, monkeypatch: Any) -> None:
    model()
    monkeypatch.setenv("MODELS", str(tmp_path))
    found = load(topology="$MODELS/mine.keras").searches["s"].model
    assert found is not None
    assert found.path == str(tmp_path / "mine.keras")


def test_another_content_is_described_anew(model: Any) -> None:
    first = load(topology=model()).searches["s"]
    starting_models.read.cache_clear()
    second = load(topology=model(**described(Flatten(), Dense(10, "linear")))).searches["s"]
    assert first.start != second.start
    assert first.model is not None
    assert second.model is not None
    assert first.model.topology != second.model.topology


def test_models_are_read_in_another_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(starting_models, "_cache_folder", lambda: tmp_path / "cache")
    inner = [keras.layers.Flatten(), keras.layers.Dense(10, activation="softmax")]
    keras.Sequential([keras.Input((8, 8, 1)), *inner]).save(tmp_path / "mine.keras")
    found = load(topology=str(tmp_path / "mine.keras")).searches["s"].model
    assert found is not None
    assert found.topology == Topology((8, 8, 1), (Flatten(), Dense(10, "softmax")))
    assert len(list((tmp_path / "cache").rglob("*.json"))) == 1
    monkeypatch.setattr(starting_models, "_described", None)  # it is not read again
    starting_models.read.cache_clear()
    assert load(topology=str(tmp_path / "mine.keras"))


def test_what_is_no_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.keras").write_text("no model")
    with pytest.raises(ConfigError, match=r"topology: .*text.keras: not a .keras file"):
        load(topology=str(tmp_path / "text.keras"))


def test_a_listing_remembers_the_model(model: Any, tmp_path: Path) -> None:
    config = load(topology=model())
    runs.write_listing(replace(config, results=str(tmp_path)))
    (listed,) = runs.listed_config(tmp_path).searches.values()
    assert listed.start == config.searches["s"].start
