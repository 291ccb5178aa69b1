"""The batch size that follows from the number of samples, and the rate that follows from it."""

import pytest

from netsurgery.objectives.training_settings import (
    AUTO,
    NONE,
    SQRT,
    batch_size_for,
    batch_size_of,
    highest_rate,
    rate_factor_for,
)


@pytest.mark.parametrize(
    ("samples", "size"),
    [(50, 16), (1279, 16), (1280, 32), (5119, 64), (5120, 128), (10**6, 128)],
)
def test_few_samples_train_in_small_batches(samples, size):
    assert batch_size_for(samples) == size


@pytest.mark.parametrize(("size", "factor"), [(8, 0.25), (32, 0.5), (128, 1.0), (512, 1.0)])
def test_small_batches_have_lower_rates(size, factor):
    assert rate_factor_for(size) == factor


@pytest.mark.parametrize(
    ("scaling", "setting", "size", "rate"),
    [(SQRT, AUTO, 32, 0.1), (SQRT, 32, 32, 0.2), (NONE, AUTO, 32, 0.2)],
)
def test_only_batches_chosen_by_the_search_change_the_rate(scaling, setting, size, rate):
    assert batch_size_of(setting, 1280) == size
    assert highest_rate(0.2, scaling, setting, 1280) == rate
