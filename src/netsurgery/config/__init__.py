"""Loading, completing, checking and scaling a configuration."""
