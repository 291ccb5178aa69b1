"""Faults injected into whole searches, and what became of them (docs/reliability.md).

`searches` runs the workflow as a user would and reaches into its processes; `compare` says whether
two results are the same; `kinds` holds the faults; `report` writes the table. `python -m
benchmarks.faults` runs trials and remembers them, so that it can be stopped and go on.
"""
