"""Hashes as parameters."""

import pytest

from netsurgery.workflow import hashes
from tests.support.workflow_searches import make_searches


def test_a_changed_module_changes_the_hash(tmp_path, monkeypatch):
    monkeypatch.setattr(hashes, "PACKAGE", tmp_path)
    (tmp_path / "a.py").write_text("a")
    first = hashes.code_hash("*.py")
    assert first == hashes.code_hash("*.py")
    (tmp_path / "a.py").write_text("b")
    assert hashes.code_hash("*.py") != first


def test_a_pattern_without_modules_is_an_error():
    with pytest.raises(FileNotFoundError, match="no module matches 'surgry/"):
        hashes.code_hash("surgry/*.py")


def test_another_configuration_has_another_listing(tmp_path):
    searches = {"algorithm": "ectonas", "dataset": "digits", "topology": "ff-small"}
    found = {
        hashes.listing_hash(make_searches(tmp_path, {"s": searches | changed}).config)
        for changed in ({}, {"budget": 30})
    }
    assert len(found) == 2
