"""Batches are gathered from the memory-mapped samples, with augmentation."""

import dataclasses

import numpy as np
import pytest

from netsurgery.datasets import Samples, Scaling
from netsurgery.datasets.augmentation import RandomChange
from netsurgery.networks.layers import input_parts
from netsurgery.training.samples import Batches
from tests.support.training_helpers import samples


def test_samples_stay_in_the_memory_mapped_file(tmp_path):
    np.save(tmp_path / "x.npy", samples(40).x)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    data = dataclasses.replace(samples(40), x=mapped)
    batches = Batches(data)
    positions = np.arange(5, dtype=np.int32)
    seen, _ = batches.take(positions, *batches.tensors)
    np.testing.assert_array_equal(seen, data.inputs(positions))
    np.load(tmp_path / "x.npy", mmap_mode="r+")[3] = 7
    seen, _ = batches.take(positions, *batches.tensors)
    assert (seen.numpy()[3] == 7 / 16).all()


@pytest.mark.parametrize(
    "layout",
    [
        np.asfortranarray,
        lambda array: np.ascontiguousarray(array[::-1])[::-1],
        lambda array: array.astype(array.dtype.newbyteorder(">")),
    ],
    ids=["fortran", "negative strides", "big-endian"],
)
def test_batches_do_not_depend_on_the_layout_in_memory(layout, tmp_path):
    y = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32)
    plain = dataclasses.replace(samples(40), y=y)
    x = layout(plain.x.astype(np.float32))
    np.save(tmp_path / "y.npy", layout(y))
    mapped = np.load(tmp_path / "y.npy", mmap_mode="r")
    for other in (mapped, layout(y)):
        batches = Batches(dataclasses.replace(plain, x=x, y=other))
        inputs, labels = batches.take(np.arange(40, dtype=np.int32), *batches.tensors)
        np.testing.assert_array_equal(inputs, plain.inputs(np.arange(40)))
        np.testing.assert_array_equal(labels, y)


def test_an_augmented_epoch_has_every_variant_once():
    data = dataclasses.replace(samples(10), variants=6)
    assert len(data) == 60
    batches = Batches(data)
    x, y = batches.take(np.arange(60, dtype=np.int32), *batches.tensors)
    plain = samples(10)
    np.testing.assert_array_equal(y.numpy(), np.tile(plain.y, 6))
    images = x.numpy().reshape(6, 10, 8, 8, 1) * 16
    np.testing.assert_array_equal(images[0], plain.x)
    np.testing.assert_array_equal(images[1], plain.x[:, :, ::-1])
    np.testing.assert_array_equal(images[2][:, :, 4:], plain.x[:, :, :-4])
    assert (images[2][:, :, :4] == 0).all()
    np.testing.assert_array_equal(images[5][:, :-4], plain.x[:, 4:])


def test_random_changes_are_those_of_the_image_alone():
    rng = np.random.default_rng(0)
    parts = input_parts({"row": (3,), "image": (8, 8, 3)})
    x = rng.integers(256, size=(20, parts[-1].stop)).astype(np.float32)
    change = RandomChange.of(("flip", "shift", "cutout"), parts[1].shape)
    y, indices = np.zeros(20, np.int32), np.arange(20, dtype=np.int32)
    shift, scale = rng.normal(size=(2, x.shape[1])).astype(np.float32)
    shift[3:], scale[3:] = 1, 0.5
    whole = Samples(x, y, indices, Scaling(shift, scale), change=change, parts=parts)
    image = Scaling(np.float32(1), np.float32(0.5))
    alone = Samples(x[:, 3:].reshape(20, 8, 8, 3), y, indices, image, change=change)
    moves = change.draw(20, rng)
    both, other = (
        Batches(each).take(indices, *Batches(each).tensors, moves=moves)[0].numpy()
        for each in (whole, alone)
    )
    np.testing.assert_allclose(both[:, :3], whole.inputs(indices)[:, :3], rtol=1e-6)
    np.testing.assert_allclose(both[:, 3:], other.reshape(20, -1), rtol=1e-6)
    assert (both[:, 3:] != whole.inputs(indices)[:, 3:]).any()
