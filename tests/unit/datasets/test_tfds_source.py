"""TensorFlow Datasets without a network: its real files, written here and read as any others."""

import subprocess
import sys

import numpy as np
import pytest

from netsurgery import datasets
from netsurgery.datasets import DataError

WRITE = """
import sys
import numpy as np
import tensorflow_datasets as tfds

pixels = np.load(sys.argv[2])
builder_class = tfds.builder_cls("mnist")


def generators(self, manager):
    def examples(start, end):
        for i in range(start, end):
            yield i, {"image": pixels[i], "label": i % 10}

    return {"train": examples(0, 40), "test": examples(40, 60)}


builder_class._split_generators = generators
builder_class(data_dir=sys.argv[1]).download_and_prepare()
"""


@pytest.fixture(scope="module")
def prepared_mnist(tmp_path_factory):
    """A data_dir with a small MNIST as TensorFlow Datasets writes it, and the images in it."""
    folder = tmp_path_factory.mktemp("tfds")
    pixels = np.random.default_rng(0).integers(0, 256, (60, 28, 28, 1), dtype=np.uint8)
    np.save(folder / "pixels.npy", pixels)
    command = [sys.executable, "-c", WRITE, str(folder), str(folder / "pixels.npy")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return folder, pixels


def prepare(folder, data_dir, **settings):
    given = {"source": "tfds", "name": "mnist:3.0.1", "download": False} | settings
    datasets.prepare("d", given | {"data_dir": str(data_dir)}, folder)
    return datasets.describe(folder)


def test_a_prepared_dataset_is_read_with_its_parts_and_version(prepared_mnist, tmp_path):
    data_dir, pixels = prepared_mnist
    described = prepare(tmp_path, data_dir)
    assert described["origin"] == "tensorflow-datasets: mnist/3.0.1"
    assert described["version"] == "3.0.1"
    assert described["parts"] == {"training": 40, "test": 20}
    assert described["classes"] == [str(i) for i in range(10)]
    x, y = np.load(tmp_path / "x.npy"), np.load(tmp_path / "y.npy")
    assert x.dtype == np.uint8
    known = {image.tobytes(): i for i, image in enumerate(pixels)}
    found = np.array([known[image.tobytes()] for image in x])
    assert sorted(found[:40]) == list(range(40))
    np.testing.assert_array_equal(y, found % 10)
    prepare(tmp_path / "again", data_dir)
    assert (tmp_path / "again" / "x.npy").read_bytes() == (tmp_path / "x.npy").read_bytes()


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        ({"name": "mnits:3.0.1"}, "mnits:3.0.1 not found"),
        ({"name": "mnist:9.9.9"}, "mnist:9.9.9 not found"),
        ({"name": "cifar10:3.0.2"}, "cifar10:3.0.2 is not prepared in .*set `download: true`"),
        (
            {"input": "picture", "target": "label"},
            "has no feature 'picture'; its features are image, label",
        ),
    ],
)
def test_a_missing_dataset_gives_one_line(settings, line, prepared_mnist, tmp_path):
    with pytest.raises(DataError, match=line) as caught:
        prepare(tmp_path, prepared_mnist[0], **settings)
    assert "\n" not in str(caught.value)
