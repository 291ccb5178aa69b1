"""The netsurgery command."""
