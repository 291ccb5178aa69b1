"""What the rule files ask for: inputs, parameters, priorities, resources and targets of jobs.

Nothing here imports Snakemake. The rule files pass in what only Snakemake knows, above all the
checkpoints that plans wait for (see `checkpoints`), and use bound methods of these objects as input
and parameter functions. `snakemake_internals` alone touches what Snakemake does not document.
"""
