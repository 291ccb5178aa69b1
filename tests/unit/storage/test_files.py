"""Atomic writes, and JSON files with checksums."""

import shutil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netsurgery.jobs.exit_messages import exit_with_message
from netsurgery.storage.files import (
    DamagedFileError,
    atomic_path,
    read_json,
    sha256,
    to_checksummed_json,
    write_json,
    write_text,
)


def test_a_failed_write_leaves_only_the_old_file(tmp_path):
    path = tmp_path / "folder" / "record.json"
    write_json(path, {"a": 1})
    with pytest.raises(RuntimeError), atomic_path(path) as temporary:  # noqa: PT012
        temporary.write_text("half")
        raise RuntimeError
    assert read_json(path) == {"a": 1}
    assert [p.name for p in path.parent.iterdir()] == ["record.json"]


def test_the_next_writer_removes_what_a_killed_one_left(tmp_path):
    path = tmp_path / "a.json"
    (tmp_path / f".{path.name}.1234567").write_text("half of it")
    (tmp_path / ".aXjson.1234567").write_text("of another")
    write_json(path, {})
    assert sorted(tmp_path.iterdir()) == [tmp_path / ".aXjson.1234567", path]


def test_nothing_is_written_to_a_nearly_full_disk(tmp_path, monkeypatch):
    path = tmp_path / "a.json"
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(1, 1, 1))
    with pytest.raises(SystemExit) as end, exit_with_message():
        write_json(path, {})
    assert end.value.code == f"{path}: No space left on device"
    assert not list(tmp_path.iterdir())


def test_a_nan_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "r.json", {"loss": float("nan")})
    assert not list(tmp_path.iterdir())


def test_different_files_have_different_hashes(tmp_path):
    write_text(tmp_path / "a", "x")
    write_text(tmp_path / "b", "y")
    assert sha256(tmp_path / "a") != sha256(tmp_path / "b")
    assert len(sha256(tmp_path / "a")) == 64


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)  # fmt: skip
MAPPINGS = st.dictionaries(st.text(max_size=8).filter(lambda k: k != "checksum"), VALUES)


@settings(max_examples=60)
@given(MAPPINGS, st.data())
def test_any_changed_byte_of_a_json_file_is_noticed(tmp_path_factory, value, data):
    path = tmp_path_factory.mktemp("json") / "a.json"
    content = to_checksummed_json(value)
    path.write_bytes(content)
    assert read_json(path) == value
    at = data.draw(st.integers(0, len(content) - 1))
    flipped = content[at] ^ (1 << data.draw(st.integers(0, 7)))
    for changed in (content[:at], content[:at] + bytes([flipped]) + content[at + 1 :]):
        path.write_bytes(changed)
        with pytest.raises(DamagedFileError, match=r"a\.json: damaged"):
            read_json(path)


@pytest.mark.parametrize("content", ["", "[]", "3", '{"a": 1}', '{"checksum": 3}', "{", "\xff"])
def test_json_without_a_checksum_is_damaged(tmp_path, content):
    (tmp_path / "a.json").write_text(content, encoding="latin-1")
    with pytest.raises(DamagedFileError):
        read_json(tmp_path / "a.json")
