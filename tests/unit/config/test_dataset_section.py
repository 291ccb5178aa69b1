"""Datasets: the user's own, and settings added to built-in ones."""

import contextlib

import pytest

from netsurgery.config import loading
from netsurgery.config.errors import ConfigError
from tests.support.factories import SCHEMA
from tests.unit.config.examples import BASE, load

FLAT = {"dataset": "d", "topology": "ff-small"}


def test_a_path_of_the_wrong_kind_is_refused(tmp_path):
    (tmp_path / "file").touch()
    for source, path, line in (
        ("npz", tmp_path, "is a folder, but source npz reads a file"),
        ("image_folder", tmp_path / "file", "is a file, but source image_folder reads a folder"),
    ):
        top = {"datasets": {"d": {"source": source, "path": str(path)}}}
        with pytest.raises(ConfigError, match=rf"^config: datasets.d.path: .*{line}$"):
            load(top=top)


def test_settings_may_be_added_to_a_built_in_dataset():
    found = load(top={"datasets": {"mnist": {"data_dir": "here"}}}, dataset="mnist").datasets
    assert found["mnist"].settings["data_dir"] == "here"
    assert found["mnist"].settings["name"] == "mnist:3.0.1"
    assert set(found) == {"mnist"}


def test_an_unknown_original_of_an_excerpt_is_named():
    excerpt = {"source": "sklearn", "name": "wine", "excerpt_of": "mnits"}
    with pytest.raises(ConfigError, match="excerpt_of: unknown dataset 'mnits'; did you mean"):
        load(top={"datasets": {"d": excerpt}})


@pytest.mark.parametrize(
    ("source", "refused"), [("csv", False), ("parquet", False), ("npz", False), ("npy", True)]
)
def test_files_may_be_missing_if_a_rule_makes_them_later(tmp_path, source, refused):
    target = {"target": "y"} if source in ("csv", "parquet") else {}
    dataset = {"source": source, "path": str(tmp_path / "later")} | target
    given = {"datasets": {"d": dataset}, "searches": {"s": BASE | FLAT}}
    with pytest.raises(ConfigError, match="does not exist"):
        loading.load(given, SCHEMA)
    expectation = pytest.raises(ConfigError) if refused else contextlib.nullcontext()
    with expectation:
        loading.load(given, SCHEMA, data_exists=False)
