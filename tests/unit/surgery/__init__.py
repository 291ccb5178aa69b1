"""Tests: surgery."""
