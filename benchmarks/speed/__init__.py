"""Compare the run time of searches with a baseline script and with two lower bounds.

`python -m benchmarks.speed` runs whole searches on one and two cores; `time_breakdown` attributes
their time, `training_only` measures a lower bound, `script` is the baseline, `report` writes
tables.
"""
