"""Files that are written whole and checked, locks, provenance, timers, random streams."""
