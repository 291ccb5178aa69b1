"""The decisions of searches: pure functions of records, settings and a seed."""
