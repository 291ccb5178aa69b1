"""Train a neural network and reshape it while it trains."""

__version__ = "0.1.0"
