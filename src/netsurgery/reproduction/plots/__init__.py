"""Figures of the papers' experiments and of the surgery studies."""
