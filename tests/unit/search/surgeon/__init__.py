"""Tests: surgeon."""
