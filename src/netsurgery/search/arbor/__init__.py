"""Arbor: a small network grows by its gradients; its shape, full-size, then trains from scratch."""
