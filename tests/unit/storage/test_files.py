"""Files are there whole or not at all; generators depend on their purpose alone."""

import shutil

import pytest

from netsurgery.jobs.exit_messages import exit_with_message
from netsurgery.storage.files import atomic_path, read_json, sha256, write_json, write_text
from netsurgery.storage.random_streams import random_stream


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "folder" / "record.json"
    write_json(path, {"a": 1})
    with pytest.raises(RuntimeError), atomic_path(path) as temporary:  # noqa: PT012
        temporary.write_text("half")
        raise RuntimeError
    assert read_json(path) == {"a": 1}
    assert [p.name for p in path.parent.iterdir()] == ["record.json"]


def test_what_a_killed_writer_left_goes_with_the_next_one(tmp_path):
    path = tmp_path / "a.json"
    (tmp_path / f".{path.name}.1234567").write_text("half of it")
    (tmp_path / ".aXjson.1234567").write_text("of another")
    write_json(path, {})
    assert sorted(tmp_path.iterdir()) == [tmp_path / ".aXjson.1234567", path]


def test_a_disk_that_is_nearly_full_is_left_alone(tmp_path, monkeypatch):
    path = tmp_path / "a.json"
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(1, 1, 1))
    with pytest.raises(SystemExit) as end, exit_with_message():
        write_json(path, {})
    assert end.value.code == f"{path}: No space left on device"
    assert not list(tmp_path.iterdir())


def test_a_value_that_is_no_json_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "r.json", {"loss": float("nan")})
    assert not list(tmp_path.iterdir())


def test_hashes_differ_with_content(tmp_path):
    write_text(tmp_path / "a", "x")
    write_text(tmp_path / "b", "y")
    assert sha256(tmp_path / "a") != sha256(tmp_path / "b")
    assert len(sha256(tmp_path / "a")) == 64


def test_generators_repeat_for_the_same_purpose_and_differ_for_others():
    def draw(*key):
        return random_stream(*key).integers(2**62)

    assert draw(0, "split", "test") == draw(0, "split", "test")
    keys = [(0, "a"), (1, "a"), (0, "b"), (0, "a", 1), (0, "a", 2), (11, "a"), (1, "1a")]
    assert len({draw(*key) for key in keys}) == len(keys)
