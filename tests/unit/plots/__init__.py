"""Tests: plots."""
