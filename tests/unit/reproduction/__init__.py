"""Tests: reproduction."""
