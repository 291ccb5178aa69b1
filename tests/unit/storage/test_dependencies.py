"""What files say of what they depend on."""

import shutil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netsurgery.storage.dependencies import MISSING, NO_DEPENDENCIES, Dependencies, content_of
from netsurgery.storage.files import read_json

MADE = Dependencies({"learning_rate": 0.1}, {"training": "abc"})


def test_a_file_says_what_it_was_made_from_wherever_it_is(tmp_path):
    data, record = tmp_path / "r/_data/d/data.json", tmp_path / "r/s/seed0/generation00/w.json"
    MADE.write(data, {"samples": 3})
    MADE.with_inputs([data]).write(record, {"score": 1})
    assert read_json(record) == {"score": 1}
    assert Dependencies.read(record).inputs == {data: content_of(data)}
    shutil.move(tmp_path / "r", tmp_path / "moved")
    moved = tmp_path / "moved/_data/d/data.json"
    found = Dependencies.read(tmp_path / "moved/s/seed0/generation00/w.json")
    assert found.inputs == {moved: content_of(moved)}
    assert (found.settings, found.code) == (MADE.settings, MADE.code)


def test_without_the_workflow_a_file_says_nothing(tmp_path):
    missing = tmp_path / "missing.json"
    NO_DEPENDENCIES.with_inputs([missing]).write(tmp_path / "a.json", {"a": 1})
    assert Dependencies.read(tmp_path / "a.json") is None
    with pytest.raises(FileNotFoundError):
        MADE.with_inputs([missing])


def test_times_and_dependencies_are_no_content(tmp_path):
    path = tmp_path / "a.json"
    contents = []
    for made, value in (
        (MADE, {"score": 1, "wall_seconds": 2.0, "parents": [{"seconds": {"data": 1}}]}),
        (NO_DEPENDENCIES, {"parents": [{"seconds": {}}], "score": 1.0, "latency": 3.0}),
        (MADE, {"score": 2, "wall_seconds": 2.0, "parents": [{"seconds": {"data": 1}}]}),
    ):
        made.write(path, value)
        contents.append(content_of(path))
    assert contents[0] == contents[1] != contents[2]


SETTINGS = st.dictionaries(st.sampled_from("abc"), st.integers(0, 2) | st.just({"x": 1}))


@given(SETTINGS, SETTINGS)
def test_every_setting_that_differs_is_named(here, there):
    changed = list(Dependencies(here).changed_settings(Dependencies(there)))
    assert bool(changed) == (here != there)
    for name, mine, theirs in changed:
        key = name.split(".")[0]
        assert mine is MISSING if key not in here else mine != theirs


def test_inner_settings_are_named_by_their_path():
    here = Dependencies({"optimizer": {"adam": {"beta_1": 0.8, "epsilon": 1.0}}, "n": 30.0})
    there = Dependencies({"n": 30, "optimizer": {"adam": {"epsilon": 1, "beta_1": 0.9}}})
    assert list(here.changed_settings(there)) == [("optimizer.adam.beta_1", 0.8, 0.9)]


def test_an_unknown_stage_of_the_code_counts_as_changed():
    here, there = Dependencies(code={"a": "1", "b": "2"}), Dependencies(code={"a": "1", "c": "2"})
    assert here.changed_code(there) == ["b", "c"]
