"""Folders of images: what is read, resized and rejected."""

import keras
import numpy as np
import pytest
from PIL import Image

from netsurgery import datasets
from netsurgery.datasets import DataError
from netsurgery.keras_io import preprocessing

RNG = np.random.default_rng(0)


def fill(folder, mode="L", size=(6, 5), classes=("ant", "bee"), each=3, suffix="png"):
    """A folder of images; gives their pixels in the order of their names."""
    found = []
    for name in classes:
        (folder / name).mkdir(parents=True)
        for i in range(each):
            shape = (size[1], size[0], 3) if mode == "RGB" else (size[1], size[0])
            pixels = RNG.integers(0, 256, shape, dtype=np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{i}.{suffix}")
            found.append(pixels)
    return np.array(found)


def prepared(folder, **settings):
    given = {"source": "image_folder", "path": str(folder / "images")} | settings
    datasets.prepare("d", given, folder / "prepared")
    x, y = (np.load(folder / "prepared" / f"{stem}.npy") for stem in "xy")
    return x, y, datasets.describe(folder / "prepared")


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_images_are_stored_by_class_in_grayscale_or_colour(mode, tmp_path):
    pixels = fill(tmp_path / "images", mode)
    x, y, described = prepared(tmp_path)
    np.testing.assert_array_equal(x, pixels.reshape(6, 5, 6, -1))
    assert x.dtype == np.uint8
    np.testing.assert_array_equal(y, [0, 0, 0, 1, 1, 1])
    assert described["classes"] == ["ant", "bee"]
    assert not described["resized"]


def test_one_colour_image_makes_all_colour_unless_set(tmp_path):
    pixels = fill(tmp_path / "images")
    fill(tmp_path / "images" / "more", "RGB", classes=["x"], each=1)
    (tmp_path / "images" / "more" / "x" / "0.png").rename(tmp_path / "images" / "bee" / "9.png")
    (tmp_path / "images" / "more" / "x").rmdir()
    (tmp_path / "images" / "more").rmdir()
    x, _, _ = prepared(tmp_path)
    assert x.shape == (7, 5, 6, 3)
    np.testing.assert_array_equal(x[:6], np.repeat(pixels[..., None], 3, axis=-1))
    assert prepared(tmp_path, channels=1)[0].shape == (7, 5, 6, 1)


def test_images_are_resized_to_the_most_frequent_or_set_size(tmp_path):
    fill(tmp_path / "images")
    fill(tmp_path / "images" / "bee", classes=["deep"], size=(12, 9), each=1)
    (tmp_path / "images" / "bee" / "deep" / "0.png").rename(tmp_path / "images" / "bee" / "9.png")
    (tmp_path / "images" / "bee" / "deep").rmdir()
    x, _, described = prepared(tmp_path)
    assert x.shape == (7, 5, 6, 1)
    assert described["resized"]
    assert prepared(tmp_path, size=[3, 4])[0].shape == (7, 3, 4, 1)


def test_a_model_of_resized_images_resizes_them_itself(tmp_path):
    fill(tmp_path / "images", size=(12, 10))
    x, _, described = prepared(tmp_path, size=[5, 6])
    inner = keras.Sequential(
        [
            keras.Input((5, 6, 1)),
            keras.layers.Flatten(),
            keras.layers.Dense(2, activation="softmax"),
        ]
    )
    scaling = datasets.Scaling(np.array(0), np.array(1 / 255))
    preprocessing.with_preprocessing(inner, described, scaling, None).save(tmp_path / "model.keras")
    raw = np.array(Image.open(tmp_path / "images" / "ant" / "0.png"))[None, ..., None]
    found = keras.models.load_model(tmp_path / "model.keras").predict(raw, verbose=0)
    np.testing.assert_allclose(found, inner(x[:1] / 255), atol=0.01)


def test_a_test_folder_has_the_classes_of_the_training_folder(tmp_path):
    fill(tmp_path / "images")
    fill(tmp_path / "test", classes=["bee"])
    _, y, described = prepared(tmp_path, test_path=str(tmp_path / "test"))
    assert described["parts"] == {"training": 6, "test": 3}
    np.testing.assert_array_equal(y[6:], 1)
    (tmp_path / "test" / "cow").mkdir()
    Image.new("L", (6, 5)).save(tmp_path / "test" / "cow" / "0.png")
    with pytest.raises(DataError, match=r"cow: is not a class of .*images \(ant, bee\)"):
        prepared(tmp_path, test_path=str(tmp_path / "test"))


def break_image(folder):
    (folder / "bee" / "1.png").write_bytes(b"not an image")


def cut_image(folder):
    content = (folder / "bee" / "1.png").read_bytes()
    (folder / "bee" / "1.png").write_bytes(content[: len(content) // 2])


def empty_class(folder):
    (folder / "cow").mkdir()
    (folder / "cow" / "notes.txt").write_text("no image")


def deep_image(folder):
    Image.fromarray(np.zeros((5, 6), np.uint16)).save(folder / "bee" / "1.png")


def only_class(folder):
    for path in (folder / "bee").iterdir():
        path.unlink()
    (folder / "bee").rmdir()


def no_class(folder):
    only_class(folder)
    (folder / "ant").rename(folder.parent / "elsewhere")


WRONG = {
    "images/bee/1.png: cannot be read as an image": break_image,
    "images/bee/1.png: cannot be read as an image (": cut_image,
    "images/cow: contains no images; add some or remove the folder": empty_class,
    "images/bee/1.png: has more than 8 bits per channel": deep_image,
    "images: all samples are of one class (ant); at least two classes are needed": only_class,
    "images: has no subfolders; expected one per class": no_class,
}


@pytest.mark.parametrize("line", WRONG)
def test_an_invalid_folder_gives_one_line_with_the_path(line, tmp_path):
    fill(tmp_path / "images")
    WRONG[line](tmp_path / "images")
    with pytest.raises(DataError) as caught:
        prepared(tmp_path)
    assert line in str(caught.value)
    assert "\n" not in str(caught.value)
