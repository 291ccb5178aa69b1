"""Measurements of Arbor: what its first look predicts, and its alternatives."""
