"""Settings of all tests."""

import gc

from hypothesis import settings

# the same examples on every machine and in every run; slow machines are no failures
settings.register_profile("netsurgery", derandomize=True, deadline=None, max_examples=30)
settings.register_profile("thorough", deadline=None, max_examples=2000)  # --hypothesis-profile
settings.load_profile("netsurgery")

gc.set_threshold(100_000, 20, 20)  # by default, a twelfth of the time goes to collecting garbage


def pytest_collection_finish():
    """Spare the garbage collector what lives as long as the process: modules and test items."""
    gc.freeze()
