"""Tests of losses, metrics and optimizers by name."""
