"""Processes of jobs: warm servers, GPUs, and how processes end together.

A warm server (`netsurgery.jobs.server`) imports what a kind of jobs needs once and forks a child
per job, so that a job need not import TensorFlow or MLflow. `client` sends a job to a server and
waits; it uses the standard library alone, because every job starts it. `launch` starts the servers
with a workflow, `process_exit` ends processes when the workflow ends, however it ends, and
`devices` leases GPUs to jobs.
"""
