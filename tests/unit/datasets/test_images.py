"""Folders of images: what is read, resized and rejected."""

import keras
import numpy as np
import pytest
from PIL import Image

from netsurgery import datasets
from netsurgery.datasets import DataError
from netsurgery.datasets.registry import read_new
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


def test_a_test_folder_may_have_one_class(tmp_path):
    fill(tmp_path / "images")
    fill(tmp_path / "test", classes=["bee"])
    _, y, described = prepared(tmp_path, test_path=str(tmp_path / "test"))
    assert described["parts"] == {"training": 6, "test": 3}
    np.testing.assert_array_equal(y[6:], 1)


def test_parts_must_lie_apart(tmp_path):
    fill(tmp_path / "images")
    with pytest.raises(DataError, match="images: is the folder of the training and the test part"):
        prepared(tmp_path, test_path=str(tmp_path / "images" / ".." / "images"))
    fill(tmp_path / "images" / "test")
    with pytest.raises(
        DataError, match=r"lies in that of the training part, .*images; move it out"
    ):
        prepared(tmp_path, test_path=str(tmp_path / "images" / "test"))


@pytest.mark.parametrize("stage", ["header", "pixels"])
def test_all_unusable_images_are_named_in_one_go(stage, tmp_path):
    fill(tmp_path / "images", each=15)
    fill(tmp_path / "test", each=1)
    for i in range(12):
        cut(tmp_path / "images" / "bee" / f"{i}.png")
    if stage == "header":
        (tmp_path / "images" / "ant" / "3.png").write_bytes(b"")
        Image.new("I", (6, 5)).save(tmp_path / "test" / "ant" / "0.png", "TIFF")
    with pytest.raises(DataError) as caught:
        prepared(tmp_path, test_path=str(tmp_path / "test"))
    message = str(caught.value)
    assert "\n" not in message
    of = 14 if stage == "header" else 12
    assert f"{of} of 32 images cannot be used" in message
    assert "bee/0.png, bee/1.png, bee/10.png" in message
    assert " and 2 more: cannot be read as an image (" in message
    if stage == "header":
        assert "ant/3.png: cannot be read as an image (it is empty)" in message
        assert f"{tmp_path}/test/ant/0.png: has more than 8 bits per channel (mode I, " in message
        assert message.endswith(
            "convert images to 8 bits per channel, or provide them as an npz file"
        )


def cut(path):
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 3 // 4])


def as_html(path):
    path.write_text("<!DOCTYPE html><title>404</title>")


def as_lfs_pointer(path):
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0")


def broken_link(path):
    path.unlink()
    path.symlink_to("nowhere.png")


UNUSABLE = {
    "cannot be read as an image (cannot identify image file); repair or remove damaged files": (
        lambda path: path.write_bytes(b"not an image")
    ),
    "cannot be read as an image (": cut,
    "cannot be read as an image (it is empty)": lambda path: path.write_bytes(b""),
    "cannot be read as an image (it is an HTML page, perhaps of a failed download)": as_html,
    "cannot be read as an image (it is a pointer of Git LFS; run `git lfs pull`)": as_lfs_pointer,
    "cannot be read as an image (its link is broken)": broken_link,
    "has more than 8 bits per channel (mode I, 32 bits)": (
        lambda path: Image.new("I", (6, 5)).save(path, "TIFF")
    ),
}


@pytest.mark.parametrize("line", UNUSABLE)
def test_an_unusable_image_gives_one_line_with_its_path(line, tmp_path):
    fill(tmp_path / "images")
    UNUSABLE[line](tmp_path / "images" / "bee" / "1.png")
    with pytest.raises(DataError) as caught:
        prepared(tmp_path)
    assert f"{tmp_path}/images/bee/1.png: {line}" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_notes_say_how_images_were_read(tmp_path):
    fill(tmp_path / "images")
    fill(tmp_path / "images", "RGB", classes=["cow"], size=(9, 8))
    bee = tmp_path / "images" / "bee"
    frames = [Image.new("L", (6, 5), shade) for shade in (10, 200)]
    frames[0].save(bee / "0.tif", save_all=True, append_images=frames[1:])
    Image.new("RGBA", (6, 5)).save(bee / "1.webp", lossless=True)
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (5, 6)).save(bee / "2.jpg", exif=exif)
    given = {"source": "image_folder", "path": str(tmp_path / "images")}
    assert datasets.prepare("d", given, tmp_path / "prepared")[:5] == [
        f"{tmp_path}/images: {line}"
        for line in (
            "images have 2 sizes; all are resized to 5 x 6 (height x width), the most frequent;"
            " `size` chooses another",
            "7 of 12 images are grey; all are read as colour",
            "1 images have several pages or frames; only the first is read",
            "1 images have transparency, which is ignored",
            "1 images have an EXIF orientation and are turned upright; turn images in the same way"
            " before the model predicts (`PIL.ImageOps.exif_transpose`), or set `exif: false`",
        )
    ]
    chosen = given | {"size": [5, 6], "channels": 3}
    assert not any("all are" in n for n in datasets.prepare("d", chosen, tmp_path / "prepared"))


@pytest.mark.parametrize("exif", [True, False])
def test_images_are_turned_by_exif_unless_not_wanted(exif, tmp_path):
    fill(tmp_path / "images", each=5)
    pixels = np.arange(30, dtype=np.uint8).reshape(5, 6) * 8
    turned = Image.Exif()
    turned[0x0112] = 3  # upside down
    Image.fromarray(pixels).save(tmp_path / "images" / "ant" / "0.png", exif=turned)
    x, _, data = prepared(tmp_path, exif=exif)
    np.testing.assert_array_equal(x[0, ..., 0], pixels[::-1, ::-1] if exif else pixels)
    new = next(iter(read_new(data, tmp_path / "images", labelled=False).batches))
    np.testing.assert_array_equal(new.inputs, x)
    np.testing.assert_array_equal(datasets.raw_samples(data, np.arange(10))[0], x)
    assert any("EXIF" in note for note in data["warnings"]) == exif


@pytest.mark.parametrize("dtype", ["uint16", "float32"])
def test_deep_grey_images_keep_their_values(dtype, tmp_path):
    rng, images = np.random.default_rng(0), []
    for i in range(12):
        image = rng.integers(0, 65536, (5, 6) if i else (10, 12)).astype(dtype)
        path = tmp_path / "images" / ("ant", "bee")[i // 6] / f"{i:02}.tif"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(path)
        images.append(image)
    x, _, data = prepared(tmp_path)
    assert (x.dtype, data["shape"], data["scaling"]["method"]) == (dtype, [5, 6, 1], "standard")
    np.testing.assert_array_equal(x[1:, ..., 0], images[1:])
    assert x[0].min() > images[0].min()
    assert x[0].max() < images[0].max()  # resized, not cut
    new = next(iter(read_new(data, tmp_path / "images", labelled=False).batches))
    np.testing.assert_array_equal(new.inputs, x)


def test_images_of_another_depth_are_named(tmp_path):
    fill(tmp_path / "images")
    for name in ("ant/2.png", "bee/1.png"):
        Image.fromarray(np.zeros((5, 6), np.uint16)).save(tmp_path / "images" / name)
    with pytest.raises(
        DataError, match=r"2 of \d+ .* uint16, not uint8: ant/2.png, bee/1.png; con"
    ):
        prepared(tmp_path)
