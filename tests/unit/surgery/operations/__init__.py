"""Tests of netsurgery.surgery.operations."""
