"""What the .smk files ask: inputs, params, priorities, targets; typed and free of Snakemake."""
