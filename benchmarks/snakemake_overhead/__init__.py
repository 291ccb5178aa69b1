"""What Snakemake itself costs a job, by the number of searches: training is replaced by a stub."""
