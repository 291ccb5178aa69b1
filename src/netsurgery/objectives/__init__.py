"""Losses, metrics and optimizers by the names that Keras gives them."""
