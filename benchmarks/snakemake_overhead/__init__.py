"""Measure the overhead of Snakemake per job; training is replaced by a stub."""
