"""Tests of netsurgery."""
