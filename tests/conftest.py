"""Settings of all tests."""

from hypothesis import settings

# the same examples on every machine and in every run; slow machines are no failures
settings.register_profile("netsurgery", derandomize=True, deadline=None, max_examples=50)
settings.register_profile("thorough", deadline=None, max_examples=2000)  # --hypothesis-profile
settings.load_profile("netsurgery")
