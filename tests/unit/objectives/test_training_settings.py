"""The batch size that follows from the number of samples."""

import pytest

from netsurgery.objectives.training_settings import batch_size_for


@pytest.mark.parametrize(
    ("samples", "size"),
    [(50, 16), (1279, 16), (1280, 32), (5119, 64), (5120, 128), (10**6, 128)],
)
def test_few_samples_train_in_small_batches(samples, size):
    assert batch_size_for(samples) == size
