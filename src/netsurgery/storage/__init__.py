"""Atomic and checksummed files, locks, provenance, timers, random streams, settings."""
