"""Tests: arbor."""
