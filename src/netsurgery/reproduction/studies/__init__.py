"""Studies of the surgery itself, measured on trained networks; no search needs them.

The workflow trains the networks as it does any baseline; the commands here look at what each rule
does to them. `fidelity` measures every operation at every place, `pooling_trials` repeats ECToNAS's
trials of its table 4, `timing` times operations; `published` holds what the authors' code does
where ours differs.
"""
