"""The warm trainer: training steps in fresh processes that need not import TensorFlow.

`server` imports TensorFlow once and forks a child per training step; `client`, a thin program of
the standard library alone, hands a step over and waits; `launch` starts the server with a workflow;
`lifeline` lets processes die with the workflow, however it dies.
"""
