"""The batch size that follows from the number of samples, and the rate that follows from it."""

import pytest

from netsurgery.objectives.training_settings import batch_size_for, rate_factor_for


@pytest.mark.parametrize(
    ("samples", "size"),
    [(50, 16), (1279, 16), (1280, 32), (5119, 64), (5120, 128), (10**6, 128)],
)
def test_few_samples_train_in_small_batches(samples, size):
    assert batch_size_for(samples) == size


@pytest.mark.parametrize(("size", "factor"), [(8, 0.25), (32, 0.5), (128, 1.0), (512, 1.0)])
def test_small_batches_have_lower_rates(size, factor):
    assert rate_factor_for(size) == factor
