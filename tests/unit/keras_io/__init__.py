"""Tests: keras_io."""
