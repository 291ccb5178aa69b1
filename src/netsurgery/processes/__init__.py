"""Warm servers: jobs in fresh processes that need not import TensorFlow, or MLflow.

`server` imports what a kind of jobs needs once and forks a child per job; `client`, a thin program
of the standard library alone, hands a job over and waits; `launch` starts the servers with a
workflow; `lifeline` lets processes die with the workflow, however it dies; `devices` leases GPUs to
jobs.
"""
