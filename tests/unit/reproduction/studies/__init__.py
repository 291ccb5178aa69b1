"""Tests: studies of the surgery."""
