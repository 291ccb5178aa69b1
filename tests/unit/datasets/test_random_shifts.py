"""Random changes of samples: what is drawn, and what becomes of a sample."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netsurgery.datasets.augmentation import RandomChange
from netsurgery.training.samples import Batches
from tests.support.training_helpers import samples


def moved(x, moves, shift):
    """The samples of `x` after `moves`, by the training's own function."""
    n = len(x)
    data = dataclasses.replace(samples(n), x=x, y=np.zeros(n, np.int32), change=shift)
    batches = Batches(data)
    found, _ = batches.take(np.arange(n, dtype=np.int32), *batches.tensors, moves=moves)
    return found.numpy() * 16


@pytest.mark.parametrize(
    ("setting", "shape", "expected"),
    [
        ("none", (32, 32, 3), None),
        ("sixfold", (32, 32, 3), None),
        ("shift", (28, 28, 1), RandomChange((28, 28), (3, 3))),
        ("flip_shift", (32, 24, 3), RandomChange((32, 24), (4, 3), flips=True)),
        ("shift", (128, 9), RandomChange((128,), (16,))),
        ("shift", (7, 1, 1), RandomChange((7, 1), (1, 0))),
        ("auto", (28, 28, 1), RandomChange((28, 28), (3, 3))),
        ("auto", (28, 28, 3), RandomChange((28, 28), (3, 3), flips=True, cut=(7, 7))),
        ("auto", (128, 9), None),
        ("auto", (14,), None),
        (["cutout"], (32, 24, 3), RandomChange((32, 24), (0, 0), cut=(8, 6))),
        (
            ["rotate", "zoom", "brightness"],
            (8, 8, 1),
            RandomChange((8, 8), (0, 0), turn=150, zoom=100, brightness=200),
        ),
        (["flip"], (8, 8, 1), RandomChange((8, 8), (0, 0), flips=True)),
        (["shift", "cutout"], (128, 9), RandomChange((128,), (16,), cut=(32,))),
    ],
)
def test_a_setting_says_how_samples_change(setting, shape, expected):
    assert RandomChange.of(setting, shape) == expected


@pytest.mark.parametrize("flips", [False, True])
def test_every_distance_is_drawn(flips):
    drawn = RandomChange((5, 5), (2, 1), flips).draw(2000, np.random.default_rng(0))
    found = {tuple(row) for row in drawn.tolist()}
    assert found == {
        (down, right, flip)
        for down in range(-2, 3)
        for right in range(-1, 2)
        for flip in range(1 + flips)
    }


@given(seed=st.integers(0, 99), flips=st.booleans())
def test_an_image_moves_and_repeats_its_edge(seed, flips):
    shift, rng = RandomChange((5, 7), (2, 3), flips), np.random.default_rng(seed)
    x = rng.integers(0, 255, (4, 5, 7, 2)).astype(np.uint8)
    moves = shift.draw(4, rng)
    for image, (down, right, flip), found in zip(x, moves, moved(x, moves, shift), strict=True):
        first = image[:, ::-1] if flip else image
        framed = np.pad(first, ((2, 2), (3, 3), (0, 0)), mode="edge")
        np.testing.assert_array_equal(found, framed[2 - down : 7 - down, 3 - right : 10 - right])


def test_a_series_moves_in_time():
    x = np.arange(12, dtype=np.float32).reshape(1, 6, 2)
    found = moved(x, np.array([[2, 0]], np.int32), RandomChange((6,), (2,)))
    np.testing.assert_array_equal(found[0, :, 0], [0, 0, 0, 2, 4, 6])


@given(seed=st.integers(0, 99), sides=st.sampled_from([(5,), (5, 7)]))
def test_a_part_that_is_cut_out_takes_the_mean(seed, sides):
    lengths, rng = tuple(side // 2 for side in sides), np.random.default_rng(seed)
    change = RandomChange(sides, (0,) * len(sides), cut=lengths)
    x = rng.random((3, *sides, 2), np.float32)
    moves = change.draw(3, rng)
    for sample, centres, found in zip(
        x, moves[:, len(sides) + 1 :], moved(x, moves, change), strict=True
    ):
        first = [
            max(0, centre - length // 2) for centre, length in zip(centres, lengths, strict=True)
        ]
        last = [
            centre - length // 2 + length for centre, length in zip(centres, lengths, strict=True)
        ]
        expected = sample.copy()
        expected[tuple(map(slice, first, last))] = sample.mean(tuple(range(len(sides))))
        np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_images_are_turned_zoomed_and_lit():
    x = np.random.default_rng(0).random((5, 6, 6, 2), np.float32)
    change = RandomChange((6, 6), (0, 0), turn=1800, zoom=900, brightness=500)
    # moves down and right, mirrored, tenths of a degree, per mille of the size, of the brightness
    moves = [[0, 0, 0, 0, 0, 0], [0, 0, 0, 900, 0, 0], [0, 0, 1, -900, 0, 0]]
    moves += [[0, 0, 0, 0, 1000, 0], [0, 0, 0, 0, 0, 250]]
    same, left, mirrored, large, bright = moved(x, np.array(moves, np.int32), change)
    np.testing.assert_allclose(same, x[0], rtol=1e-5)
    np.testing.assert_allclose(left, np.rot90(x[1]), rtol=1e-4)
    np.testing.assert_allclose(mirrored, np.rot90(x[2, :, ::-1], -1), rtol=1e-4)
    np.testing.assert_allclose(large[2, 2], x[3, 2:4, 2:4].reshape(4, 2).T @ WEIGHTS, rtol=1e-4)
    np.testing.assert_allclose(bright, 1.25 * x[4], rtol=1e-5)


# at twice the size a pixel next to the middle lies a quarter of a pixel from it
WEIGHTS = np.outer([0.75, 0.25], [0.75, 0.25]).ravel()


@given(st.integers(0, 99))
def test_each_change_has_its_own_numbers(seed):
    change = RandomChange((5, 7), (2, 1), True, (2, 3), turn=10, zoom=20, brightness=30)
    drawn = change.draw(200, np.random.default_rng(seed))
    most = [2, 1, 1, 4, 6, 10, 20, 30]
    assert change.numbers == drawn.shape[1] == len(most)
    assert (np.abs(drawn).max(axis=0) <= most).all()
    assert (drawn.min(axis=0) < 0).tolist() == [True, True, False, False, False, True, True, True]
    plain = RandomChange((5, 7), (2, 1), True, (2, 3))
    assert plain.numbers == 5
