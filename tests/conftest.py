"""Settings of all tests."""

from hypothesis import settings

# the same examples on every machine and in every run; slow machines are no failures
settings.register_profile("netsurgery", derandomize=True, deadline=None, max_examples=100)
settings.load_profile("netsurgery")
