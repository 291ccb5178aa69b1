"""The fixed sixfold set of images."""

import numpy as np

from netsurgery.datasets import augmentation


def test_variants_are_the_image_its_mirror_and_four_shifts():
    image = np.arange(1, 9 * 7 + 1).reshape(9, 7)
    framed = np.append(image.ravel(), 0)
    same, mirrored, right, left, down, up = framed[augmentation.source_pixels(9, 7)].reshape(
        -1, 9, 7
    )
    np.testing.assert_array_equal(same, image)
    np.testing.assert_array_equal(mirrored, image[:, ::-1])
    zeros = np.zeros_like(image)
    for found, target, source in (
        (right, np.s_[:, 4:], np.s_[:, :-4]),
        (left, np.s_[:, :-4], np.s_[:, 4:]),
        (down, np.s_[4:], np.s_[:-4]),
        (up, np.s_[:-4], np.s_[4:]),
    ):
        expected = zeros.copy()
        expected[target] = image[source]
        np.testing.assert_array_equal(found, expected)


def test_images_smaller_than_the_shift_become_black():
    sources = augmentation.source_pixels(3, 3)
    assert (sources[2:] == 9).all()
    assert (sources[:2] < 9).all()
