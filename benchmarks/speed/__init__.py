"""How fast searches are, against a script that trains the same and against the least it can take.

`python -m benchmarks.speed` runs whole searches on one and on two cores; `where` says where their
time went, `script` is the script, `report` shows it.
"""
