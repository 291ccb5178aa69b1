"""Tests: ectonas."""
