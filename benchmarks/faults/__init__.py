"""Inject faults into whole searches, and check the results (docs/reliability.md).

`searches` runs the workflow as a user would and controls its processes; `compare` compares results;
`fault_types` defines the faults; `report` writes the table. `python -m benchmarks.faults` records
finished trials, so that it can be interrupted and resumed.
"""
