"""Which images a folder of classes has, and what is not taken for a class."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netsurgery.datasets import DataError, folders, image_layout
from netsurgery.datasets.image_folders import notes, scan


def make(folder, *names):
    """Empty files in a folder; nothing here reads images."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def check(folder, **parts):
    given = {"training": folder, **parts}
    image_layout.check_parts({part: scan(path) for part, path in given.items()})


def images(folder):
    return {
        name: [str(file.relative_to(folder / name)) for file in files]
        for name, files in scan(folder).images.items()
    }


def test_images_in_subfolders_belong_to_their_class(tmp_path):
    make(tmp_path, "ant/2.png", "ant/a/1.PNG", "ant/a/b/3.jpeg", "bee/p1/1.tif", "bee/p2/1.TIFF")
    check(tmp_path)
    assert images(tmp_path) == {
        "ant": ["2.png", "a/1.PNG", "a/b/3.jpeg"],
        "bee": ["p1/1.tif", "p2/1.TIFF"],
    }
    (line,) = notes(scan(tmp_path))
    assert "4 of 5 images are in subfolders of their class, such as ant/a," in line


RUBBISH = [
    "._1.png",
    ".DS_Store",
    "Thumbs.db",
    "desktop.ini",
    "Desktop.ini",
    "__MACOSX/ant/._1.png",
    "__MACOSX/1.png",
    ".ipynb_checkpoints/1-checkpoint.png",
    "@eaDir/1.png",
]


@pytest.mark.parametrize("place", ["", "ant/", "ant/deep/"])
@pytest.mark.parametrize("name", RUBBISH)
def test_files_of_operating_systems_are_skipped_and_counted(name, place, tmp_path):
    make(tmp_path, "ant/1.png", "bee/1.png")
    expected = images(tmp_path)
    make(tmp_path, place + name)
    check(tmp_path)
    assert images(tmp_path) == expected
    (line,) = notes(scan(tmp_path))
    assert line.endswith(f"such as {place}{name.split('/')[0]}")
    assert "skipped 1 hidden or system files and folders" in line


def test_nothing_is_left_out_without_a_word(tmp_path):
    make(tmp_path, "ant/1.png", "bee/1.png", "bee/notes.txt", "bee/2.mov", "README", "plan.png")
    check(tmp_path)
    outside, others = notes(scan(tmp_path))
    assert "skipped 1 images outside the folders of the classes, such as plan.png" in outside
    assert "skipped 3 files that are not images, such as README" in others


NAMES = st.sampled_from(
    ["ant/1.png", "ant/x/2.jpg", "bee/3.gif", "bee/._4.png", "bee/x/y/5.txt", "6.bmp", ".x/7.png"]
)


@given(st.sets(NAMES, min_size=1))
def test_every_file_is_an_image_or_counted_as_skipped(tmp_path_factory, names):
    folder = make(tmp_path_factory.mktemp("images"), *names)
    found = scan(folder)
    kept = [*found.files, *found.outside, *found.others]
    hidden = [
        file for name in names for file in found.system if (folder / name).is_relative_to(file)
    ]
    assert len(kept) + len(hidden) == len(names)
    assert len(set(kept)) == len(kept)


def test_names_that_are_not_text_can_be_printed(tmp_path):
    odd = os.fsdecode(b"caf\xe9")
    make(tmp_path, f"ant/{odd}/1.png", "bee/1.png", f"{odd}.txt")
    check(tmp_path)
    assert [line.encode() for line in notes(scan(tmp_path))]
    make(tmp_path, f"{odd}/1.png")
    with pytest.raises(DataError, match=r"must be UTF-8; rename caf\\udce9"):
        check(tmp_path)


def test_links_are_followed_once(tmp_path):
    make(tmp_path / "elsewhere", "bees/1.png")
    images_folder = make(tmp_path / "images", "ant/1.png")
    (images_folder / "bee").symlink_to(tmp_path / "elsewhere" / "bees")
    (images_folder / "ant" / "loop").symlink_to(images_folder)
    (images_folder / "ant" / "self").symlink_to(images_folder / "ant")
    found = images(images_folder)
    assert found["bee"] == ["1.png"]
    assert found["ant"][0] == "1.png"
    assert len(found["ant"]) <= 3


def test_an_unreadable_folder_is_an_error(tmp_path, monkeypatch):
    make(tmp_path, "ant/a/1.png", "bee/1.png")
    scandir = os.scandir

    def denied(path):
        if str(path).endswith("ant/a"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(folders.os, "scandir", denied)
    with pytest.raises(DataError, match=r"ant/a: cannot be read \(Permission denied\)"):
        scan(tmp_path)


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("train", "training"),
        ("Training", "training"),
        ("TRAIN_images", "training"),
        ("train-set", "training"),
        ("images_train", "training"),
        ("training data", "training"),
        ("Test", "test"),
        ("test1", "test"),
        ("testing_set", "test"),
        ("val", "validation"),
        ("valid", "validation"),
        ("Validation", "validation"),
        ("trains", None),
        ("testudo", None),
        ("value", None),
        ("detest", None),
        ("ant", None),
    ],
)
def test_folders_named_after_parts_are_recognised(name, part):
    assert image_layout.part_of(name) == part


WRONG = {
    "{}: has no subfolders; expected one per class": ["notes.txt"],
    "{}: has 2 images but no subfolders; move each image to a subfolder named after its class": [
        "1.png",
        "2.png",
    ],
    "{}: has 2 images but no subfolders; if labels.csv holds their labels, set "
    "`labels: {}/labels.csv`": [
        "1.png",
        "2.png",
        "labels.csv",
    ],
    "{}: its subfolders Train, test are parts of a dataset, not classes; set `path: {}/Train` and "
    "`test_path: {}/test`, each with a subfolder per class": [
        "Train/ant/1.png",
        "Train/bee/1.png",
        "test/ant/1.png",
        "test/bee/1.png",
    ],
    "set `path: {}/train` and `validation_path: {}/valid` and `test_path: {}/test`": [
        "train/ant/1.png",
        "test/ant/1.png",
        "valid/ant/1.png",
        "extra/1.png",
    ],
    "{}: its subfolders train are parts of a dataset": ["train/ant/1.png", "train/bee/1.png"],
    "{}/data: its subfolders train, test are parts of a dataset, not classes; set "
    "`path: {}/data/train` and `test_path: {}/data/test`": [
        "data/train/ant/1.png",
        "data/test/ant/1.png",
    ],
    "{}/ant: its subfolders train, test are parts of a dataset; put them above the classes, such "
    "as train/ant": ["ant/train/1.png", "ant/test/1.png", "bee/train/1.png"],
    "{}: all samples are of one class (ant); at least two classes are needed": ["ant/1.png"],
    "all samples are of one class (photos); at least two classes are needed; if ant, bee are the "
    "classes, set `path: {}/photos`": [
        "photos/ant/1.png",
        "photos/bee/1.png",
        "__MACOSX/photos/._1.png",
    ],
    "{}/cow: contains no images; add some or remove the folder": ["ant/1.png", "cow/.keep"],
    "{}: the folders cow, emu contain no images (but 2 .npy); add some": [
        "ant/1.png",
        "cow/1.npy",
        "cow/2.npy",
        "emu/.keep",
    ],
    "{}: 2 images have a format that cannot be read (.dcm, .heic), such as ant/2.HEIC; convert": [
        "ant/1.png",
        "ant/2.HEIC",
        "bee/1.png",
        "bee/2.dcm",
    ],
}


@pytest.mark.parametrize("line", WRONG)
def test_subfolders_that_are_no_classes_give_one_line(line, tmp_path):
    folder = make(tmp_path / "images", *WRONG[line])
    with pytest.raises(DataError) as caught:
        check(folder)
    assert line.replace("{}", str(folder)) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "names",
    [
        ["train/1.png", "bus/1.png"],  # vehicles
        ["ant/1.png", "ant/1.CR2", "bee/1.png"],  # a camera's raw copy
        ["ant/train/1.png", "bee/train/1.png"],
    ],
)
def test_folders_that_look_unusual_may_be_classes(names, tmp_path):
    check(make(tmp_path, *names))


def test_classes_of_other_parts_must_be_known(tmp_path):
    training = make(tmp_path / "images", "ant/1.png", "bee/1.png")
    check(training, test=make(tmp_path / "test", "bee/1.png"))
    with pytest.raises(DataError, match=r"cow: is not a class of .*images \(ant, bee\)"):
        check(training, test=make(tmp_path / "test", "cow/1.png"))
    with pytest.raises(DataError, match=r"test: Ant, cow are not classes of .*images \(ant, bee\)"):
        check(training, test=make(tmp_path / "test", "Ant/1.png"))
