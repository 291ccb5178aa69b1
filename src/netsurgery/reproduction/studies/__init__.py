"""Studies of the surgery itself on trained networks; no search needs them.

The workflow trains the networks as baselines; the studies then measure what each rule does to them.
`fidelity` measures every operation at every position, `pooling_trials` repeats the trials of table
4 of ECToNAS, `timing` times operations; `published` implements the authors' code where it differs
from ours.
"""
