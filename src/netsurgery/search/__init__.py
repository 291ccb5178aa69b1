"""What a search decides: pure functions of records, settings and a seed."""
