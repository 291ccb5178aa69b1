"""What the files of a dataset hold, whatever their names and dates."""

import os
import shutil
from pathlib import Path

import pytest

from netsurgery.datasets import KnownFiles, content, content_of_files


@pytest.fixture
def folder(tmp_path):
    """A folder of images, as far as names and contents go."""
    for name in ("cats/1.png", "cats/2.png", "dogs/1.png"):
        path = tmp_path / "pictures" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return tmp_path / "pictures"


def digest(path, known=None, key="path"):
    return content_of_files({key: str(path)}, known or KnownFiles(path.parent / "none"))


def test_a_copy_holds_the_same(folder, tmp_path):
    copy = shutil.copytree(folder, tmp_path / "copy", copy_function=shutil.copy)
    assert digest(copy) == digest(folder)
    assert digest(folder / "cats/1.png") == digest(
        Path(shutil.copy(folder / "cats/1.png", tmp_path))
    )


@pytest.mark.parametrize(
    "rubbish", [".DS_Store", "cats/.hidden", "Thumbs.db", ".git/config", "@eaDir/1"]
)
def test_what_file_managers_leave_does_not_count(folder, rubbish):
    before = digest(folder)
    (folder / rubbish).parent.mkdir(exist_ok=True)
    (folder / rubbish).touch()
    assert digest(folder) == before


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: (folder / "cats/1.png").write_text("another"),
        lambda folder: (folder / "cats/1.png").unlink(),
        lambda folder: (folder / "cats/3.png").touch(),
        lambda folder: (folder / "cats/1.png").rename(folder / "dogs/3.png"),
        lambda folder: (folder / "cats").rename(folder / "lions"),
    ],
)
def test_another_file_name_or_content_counts(folder, change):
    before = digest(folder)
    change(folder)
    assert digest(folder) != before


def test_content_of_linked_folders_counts(folder, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (folder / "lions").symlink_to(tmp_path / "elsewhere")
    before = digest(folder)
    (tmp_path / "elsewhere" / "1.png").touch()
    assert digest(folder) != before


def test_the_part_that_a_file_is_for_counts(folder):
    assert digest(folder, key="path") != digest(folder, key="test_path")


def test_a_file_is_read_again_only_if_it_was_written(folder, tmp_path, monkeypatch):
    read = []
    monkeypatch.setattr(content, "sha256", lambda path: read.append(path.name) or path.read_text())
    prepared = tmp_path / "prepared"
    for _ in range(2):
        known = KnownFiles.of(prepared)
        digest(folder, known)
        known.save()
    assert len(read) == 3
    file = folder / "cats/1.png"
    dates = file.stat()
    file.write_text("cats/9.png")  # of the same size, and with its old date
    os.utime(file, ns=(dates.st_atime_ns, dates.st_mtime_ns))
    digest(folder, KnownFiles.of(prepared))
    assert read[3:] == ["1.png"]


def test_a_spoilt_list_is_no_list(folder, tmp_path):
    for text in ("{", "[]", "\0"):
        (tmp_path / "files.json").write_text(text)
        assert digest(folder, KnownFiles.of(tmp_path)) == digest(folder)


def test_what_is_not_there_is_not_known(tmp_path):
    assert digest(tmp_path / "missing") is None
    assert content_of_files({"source": "sklearn"}, KnownFiles(tmp_path)) is not None
